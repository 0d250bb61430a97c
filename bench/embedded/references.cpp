// The same work on RocksDB and LMDB, in the same run: their times on another machine would say nothing.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "key.hpp"

#if CONCORD_BENCH_ROCKSDB
#include <rocksdb/db.h>
#endif
#if CONCORD_BENCH_LMDB
#include <lmdb.h>
#endif

namespace {

using bench::Key;
using bench::RandomOrder;

[[maybe_unused]] void check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::abort();
}

[[maybe_unused]] std::string value_100() {
  std::mt19937_64 random(100);
  std::string bytes(100, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class Scratch {
 public:
  Scratch() : path_(std::filesystem::current_path() / ("bench-reference-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

#if CONCORD_BENCH_ROCKSDB

rocksdb::Slice slice(const Key& key) { return {key.view().data(), key.view().size()}; }

std::unique_ptr<rocksdb::DB> open_rocksdb(const Scratch& scratch) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  check(rocksdb::DB::Open(options, scratch.path(), &opened).ok(), "RocksDB open");
  return std::unique_ptr<rocksdb::DB>(opened);
}

void rocksdb_put(benchmark::State& state, bool sync, bool wal) {
  const Scratch scratch;
  const auto db = open_rocksdb(scratch);
  rocksdb::WriteOptions options;
  options.sync = sync;
  options.disableWAL = !wal;
  const std::string value = value_100();
  std::uint64_t count = 0;
  for (auto _ : state) check(db->Put(options, slice(Key(count++ % 5000)), value).ok(), "RocksDB put");
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
void BM_rocksdb_put_100B_nowal(benchmark::State& state) { rocksdb_put(state, false, false); }
void BM_rocksdb_put_100B_wal(benchmark::State& state) { rocksdb_put(state, false, true); }
void BM_rocksdb_put_100B_sync(benchmark::State& state) { rocksdb_put(state, true, true); }
BENCHMARK(BM_rocksdb_put_100B_nowal);
BENCHMARK(BM_rocksdb_put_100B_wal);
BENCHMARK(BM_rocksdb_put_100B_sync)->Iterations(2000);

void BM_rocksdb_get_100B(benchmark::State& state) {
  const Scratch scratch;
  const auto db = open_rocksdb(scratch);
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::string value = value_100();
  for (std::uint64_t i = 0; i < keys; ++i) check(db->Put({}, slice(Key(i)), value).ok(), "RocksDB put");
  RandomOrder order(keys, 0);
  for (auto _ : state) check(db->Get({}, slice(Key(order.next())), &value).ok(), "RocksDB get");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_rocksdb_get_100B)->Arg(5000)->Arg(1'000'000);

#endif
#if CONCORD_BENCH_LMDB

class Lmdb {
 public:
  Lmdb(const Scratch& scratch, unsigned flags) {
    check(mdb_env_create(&env_) == 0 && mdb_env_set_mapsize(env_, std::size_t{4} << 30U) == 0, "LMDB create");
    check(mdb_env_open(env_, scratch.path().c_str(), flags, 0644) == 0, "LMDB open");
    MDB_txn* txn = begin(0);
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_) == 0 && mdb_txn_commit(txn) == 0, "LMDB dbi");
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;
  ~Lmdb() { mdb_env_close(env_); }

  MDB_txn* begin(unsigned flags) {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, flags, &txn) == 0, "LMDB begin");
    return txn;
  }
  void put(MDB_txn* txn, std::string_view key, std::string_view value) {
    MDB_val k = bytes_of(key);
    MDB_val v = bytes_of(value);
    check(mdb_put(txn, dbi_, &k, &v, 0) == 0, "LMDB put");
  }
  void get(MDB_txn* txn, std::string_view key, std::string& value) {
    MDB_val k = bytes_of(key);
    MDB_val v{};
    check(mdb_get(txn, dbi_, &k, &v) == 0, "LMDB get");
    value.assign(static_cast<const char*>(v.mv_data), v.mv_size);
  }

 private:
  /// LMDB only reads them, but its type does not say so.
  static MDB_val bytes_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

void lmdb_put(benchmark::State& state, unsigned flags) {
  const Scratch scratch;
  Lmdb db(scratch, flags);
  const std::string value = value_100();
  std::uint64_t count = 0;
  for (auto _ : state) {
    MDB_txn* txn = db.begin(0);
    db.put(txn, Key(count++ % 5000), value);
    check(mdb_txn_commit(txn) == 0, "LMDB commit");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
void BM_lmdb_put_100B_nosync(benchmark::State& state) { lmdb_put(state, MDB_NOSYNC); }
void BM_lmdb_put_100B_sync(benchmark::State& state) { lmdb_put(state, 0); }
BENCHMARK(BM_lmdb_put_100B_nosync);
BENCHMARK(BM_lmdb_put_100B_sync)->Iterations(2000);

void BM_lmdb_get_100B(benchmark::State& state) {
  const Scratch scratch;
  Lmdb db(scratch, MDB_NOSYNC);
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  MDB_txn* fill = db.begin(0);
  std::string value = value_100();
  for (std::uint64_t i = 0; i < keys; ++i) db.put(fill, Key(i), value);
  check(mdb_txn_commit(fill) == 0, "LMDB commit");
  MDB_txn* txn = db.begin(MDB_RDONLY);
  RandomOrder order(keys, 0);
  for (auto _ : state) {
    mdb_txn_reset(txn);  // as a program would: each read sees the newest commit
    check(mdb_txn_renew(txn) == 0, "LMDB renew");
    db.get(txn, Key(order.next()), value);
  }
  mdb_txn_abort(txn);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_lmdb_get_100B)->Arg(5000)->Arg(1'000'000);

#endif

}  // namespace
