// The key table of the store beside others that could stand in its place: docs/decisions/0003-key-table.md.
//
// The same work for each: keys of 16 bytes, values of 100 bytes that are copied out, our hash, one writer at a time. Each
// keeps a reader from seeing a record that the writer has replaced and freed, in the way its authors meant it to:
//   Concord        store::Table, a reader inside a section of store::Epoch
//   UrcuHash       liburcu's rculfhash, record and node in one allocation, freed by call_rcu
//   ShardedAbsl    64 absl::flat_hash_set of records, a lock each; the value is copied under the lock
//   TbbHash        oneTBB's concurrent_hash_map; its accessor locks the entry while the value is copied
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_set.h>

#include "key.hpp"
#include "store/epoch.hpp"
#include "store/record.hpp"
#include "store/table.hpp"

#if CONCORD_BENCH_TBB
#include <tbb/concurrent_hash_map.h>
#endif
#if CONCORD_BENCH_URCU
#define _LGPL_SOURCE  // the read side of liburcu inlined, as its manual advises
#include <urcu.h>

#include <urcu/rculfhash.h>
#endif

namespace {

using bench::Key;
using bench::RandomOrder;
using concord::store::Record;
using concord::store::RecordRef;
using std::chrono::steady_clock;

constexpr std::uint64_t hash_seed = 0x7461'626c'6573'6565U;
constexpr std::size_t value_size = 100;
using Copy = std::array<char, value_size>;

void check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

std::uint64_t hash_of(std::string_view key) noexcept { return concord::store::hash_bytes(key, hash_seed); }

Record* new_record(std::string_view key, std::string_view value) {
  constexpr concord::Revision first(1);
  return Record::create(key, value,
                        {.revision = first, .create_revision = first, .version = 1, .deadline_ms = std::nullopt});
}

void copy_value(const Record& record, Copy& out) noexcept {
  std::memcpy(out.data(), record.value().data(), value_size);
}

// ---------------------------------------------------------------------------------------------------------------------
// The tables. `Reader` is what a thread needs that reads or writes.

class Concord {
 public:
  struct Reader {
    Reader() noexcept {}  // nothing, but not unused
  };

  Concord() : table_(hash_seed, epoch_) {}
  Concord(const Concord&) = delete;
  Concord& operator=(const Concord&) = delete;
  ~Concord() {
    table_.for_each_slot([](concord::store::Slot& slot) {
      const auto word = slot.load(std::memory_order_relaxed);
      if (concord::store::is_occupied(word)) concord::store::record_of(word)->release();
    });
  }

  [[nodiscard]] bool get(std::string_view key, Copy& out) const {
    const concord::store::Epoch::Section section(epoch_);
    const auto word = table_.find(table_.hash(key), key);
    if (word == concord::store::empty_word) return false;
    copy_value(*concord::store::record_of(word), out);
    return true;
  }
  void put(std::string_view key, std::string_view value) {
    const std::uint64_t hash = table_.hash(key);
    Record* record = new_record(key, value);
    const auto word = concord::store::make_word(record, concord::store::Table::tag_of(hash));
    concord::store::Slot* slot = table_.locate(hash, key);
    if (slot == nullptr) return table_.insert(hash, word);
    Record* before = concord::store::record_of(slot->load(std::memory_order_relaxed));
    concord::store::Table::replace(*slot, word);
    retire(before);
  }
  void erase(std::string_view key) {
    const std::uint64_t hash = table_.hash(key);
    concord::store::Slot* slot = table_.locate(hash, key);
    Record* before = concord::store::record_of(slot->load(std::memory_order_relaxed));
    table_.erase(hash, *slot);
    retire(before);
  }

 private:
  void retire(Record* record) {
    epoch_.retire(record, [](void* object) noexcept { static_cast<Record*>(object)->release(); }, record->size_bytes());
  }

  concord::store::Epoch epoch_;
  concord::store::Table table_;
};

class SpinLock {
 public:
  void lock() noexcept {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      while (taken_.load(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }
  void lock_shared() noexcept { lock(); }
  void unlock_shared() noexcept { unlock(); }

 private:
  std::atomic<bool> taken_{false};
};

template <class Lock>
class ShardedAbsl {
 public:
  struct Reader {
    Reader() noexcept {}
  };

  ShardedAbsl() = default;
  ShardedAbsl(const ShardedAbsl&) = delete;
  ShardedAbsl& operator=(const ShardedAbsl&) = delete;
  ~ShardedAbsl() {
    for (Shard& shard : shards_) {
      for (Record* record : shard.records) record->release();
    }
  }

  [[nodiscard]] bool get(std::string_view key, Copy& out) {
    const Hashed hashed{key, hash_of(key)};
    Shard& shard = shard_of(hashed.hash);
    const std::shared_lock lock(shard.lock);
    const auto found = shard.records.find(hashed);
    if (found == shard.records.end()) return false;
    copy_value(**found, out);
    return true;
  }
  void put(std::string_view key, std::string_view value) {
    const Hashed hashed{key, hash_of(key)};
    Record* record = new_record(key, value);
    Shard& shard = shard_of(hashed.hash);
    const RecordRef before = [&]() -> RecordRef {
      const std::lock_guard lock(shard.lock);
      const auto found = shard.records.find(hashed);
      if (found == shard.records.end()) {
        shard.records.insert(record);
        return {};
      }
      // Of the same key, hence equal: the set does not see the difference.
      return RecordRef(std::exchange(const_cast<Record*&>(*found), record));
    }();
  }
  void erase(std::string_view key) {
    const Hashed hashed{key, hash_of(key)};
    Shard& shard = shard_of(hashed.hash);
    const RecordRef before = [&] {
      const std::lock_guard lock(shard.lock);
      const auto found = shard.records.find(hashed);
      RecordRef record(*found);
      shard.records.erase(found);
      return record;
    }();
  }

 private:
  struct Hashed {
    std::string_view key;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Hashed& hashed) const noexcept { return hashed.hash; }
    std::size_t operator()(const Record* record) const noexcept { return hash_of(record->key()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Record* a, const Record* b) const noexcept { return a->key() == b->key(); }
    bool operator()(const Record* a, const Hashed& b) const noexcept { return a->key() == b.key; }
    bool operator()(const Hashed& a, const Record* b) const noexcept { return a.key == b->key(); }
  };
  struct alignas(64) Shard {
    Lock lock;
    absl::flat_hash_set<Record*, Hash, Equal> records;
  };

  /// By the highest bits: the set itself uses the lower ones.
  [[nodiscard]] Shard& shard_of(std::uint64_t hash) noexcept { return shards_[hash >> 58U]; }

  std::array<Shard, 64> shards_;
};

#if CONCORD_BENCH_TBB

class TbbHash {
 public:
  struct Reader {
    Reader() noexcept {}
  };

  TbbHash() = default;
  TbbHash(const TbbHash&) = delete;
  TbbHash& operator=(const TbbHash&) = delete;
  ~TbbHash() {
    for (auto& entry : map_) entry.second->release();
  }

  [[nodiscard]] bool get(std::string_view key, Copy& out) {
    Map::const_accessor entry;
    if (!map_.find(entry, fixed(key))) return false;
    copy_value(*entry->second, out);
    return true;
  }
  void put(std::string_view key, std::string_view value) {
    Record* record = new_record(key, value);
    Map::accessor entry;
    if (map_.insert(entry, {fixed(key), record})) return;
    const RecordRef before(std::exchange(entry->second, record));
    entry.release();
  }
  void erase(std::string_view key) {
    Map::accessor entry;
    check(map_.find(entry, fixed(key)), "the key to erase is there");
    const RecordRef before(entry->second);
    map_.erase(entry);
  }

 private:
  using Fixed = std::array<char, 16>;  // the best case: no allocation for the map's own copy of the key
  struct HashCompare {
    static std::size_t hash(const Fixed& key) noexcept { return hash_of({key.data(), key.size()}); }
    static bool equal(const Fixed& a, const Fixed& b) noexcept { return a == b; }
  };
  using Map = tbb::concurrent_hash_map<Fixed, Record*, HashCompare>;

  [[nodiscard]] static Fixed fixed(std::string_view key) noexcept {
    Fixed bytes;
    std::memcpy(bytes.data(), key.data(), bytes.size());
    return bytes;
  }

  Map map_;
};

#endif
#if CONCORD_BENCH_URCU

class UrcuHash {
 public:
  struct Reader {
    Reader() { rcu_register_thread(); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { rcu_unregister_thread(); }
  };

  UrcuHash() : table_(cds_lfht_new(64, 64, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, nullptr)) {
    check(table_ != nullptr, "rculfhash is made");
  }
  UrcuHash(const UrcuHash&) = delete;
  UrcuHash& operator=(const UrcuHash&) = delete;
  ~UrcuHash() {
    cds_lfht_iter at;
    rcu_read_lock();
    for (cds_lfht_first(table_, &at); cds_lfht_iter_get_node(&at) != nullptr; cds_lfht_next(table_, &at)) {
      cds_lfht_node* node = cds_lfht_iter_get_node(&at);
      if (cds_lfht_del(table_, node) == 0) retire(node);
    }
    rcu_read_unlock();
    rcu_barrier();
    check(cds_lfht_destroy(table_, nullptr) == 0, "rculfhash is empty");
  }

  [[nodiscard]] bool get(std::string_view key, Copy& out) {
    rcu_read_lock();
    const cds_lfht_node* node = find(key);
    if (node != nullptr) std::memcpy(out.data(), item_of(node)->value, value_size);
    rcu_read_unlock();
    return node != nullptr;
  }
  void put(std::string_view key, std::string_view value) {
    auto* item = new Item;
    cds_lfht_node_init(&item->node);
    std::memcpy(item->key, key.data(), sizeof item->key);
    std::memcpy(item->value, value.data(), value_size);
    rcu_read_lock();
    cds_lfht_node* before = cds_lfht_add_replace(table_, hash_of(key), is_same, key.data(), &item->node);
    rcu_read_unlock();
    if (before != nullptr) retire(before);
  }
  void erase(std::string_view key) {
    rcu_read_lock();
    cds_lfht_node* node = find(key);
    check(cds_lfht_del(table_, node) == 0, "the key to erase is there");
    rcu_read_unlock();
    retire(node);
  }

 private:
  struct Item {
    cds_lfht_node node;  // first: an item and its node have one address
    rcu_head head;
    char key[16];
    std::uint32_t value_size_bytes = value_size;  // a table for values of any size has to say it
    char value[value_size];
  };

  [[nodiscard]] static Item* item_of(cds_lfht_node* node) noexcept { return reinterpret_cast<Item*>(node); }
  [[nodiscard]] static const Item* item_of(const cds_lfht_node* node) noexcept {
    return reinterpret_cast<const Item*>(node);
  }
  static int is_same(cds_lfht_node* node, const void* key) noexcept {
    return std::memcmp(item_of(node)->key, key, sizeof(Item::key)) == 0 ? 1 : 0;
  }
  [[nodiscard]] cds_lfht_node* find(std::string_view key) noexcept {
    cds_lfht_iter at;
    cds_lfht_lookup(table_, hash_of(key), is_same, key.data(), &at);
    return cds_lfht_iter_get_node(&at);
  }
  static void retire(cds_lfht_node* node) noexcept {
    call_rcu(&item_of(node)->head, [](rcu_head* head) {
      delete reinterpret_cast<Item*>(reinterpret_cast<char*>(head) - offsetof(Item, head));
    });
  }

  cds_lfht* table_;
};

#endif

// ---------------------------------------------------------------------------------------------------------------------
// The work.

constexpr std::array<char, value_size> value_bytes{'v'};
constexpr std::string_view value(value_bytes.data(), value_bytes.size());

template <class Table>
std::unique_ptr<Table> table;  // of the benchmark under way: made before its threads start, gone after they ended

template <class Table>
void make_table(const benchmark::State& state) {
  const typename Table::Reader reader;
  table<Table> = std::make_unique<Table>();
  for (std::int64_t i = 0; i < state.range(0); ++i) table<Table>->put(Key(static_cast<std::uint64_t>(i)), value);
}

template <class Table>
void drop_table(const benchmark::State&) {
  const typename Table::Reader reader;
  table<Table>.reset();
}

/// Keeps a thread on a core of its own: on one core, reader and writer take turns and never meet.
class Pinned {
 public:
  explicit Pinned(unsigned core) {
    check(::sched_getaffinity(0, sizeof before_, &before_) == 0, "affinity is known");
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core % std::thread::hardware_concurrency(), &one);
    ::sched_setaffinity(0, sizeof one, &one);  // where it is not allowed, the figures are what they are
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

template <class Table>
void get(benchmark::State& state) {
  const typename Table::Reader reader;
  RandomOrder order(static_cast<std::uint64_t>(state.range(0)), static_cast<std::uint64_t>(state.thread_index()));
  Copy copy;
  for (auto _ : state) {
    check(table<Table>->get(Key(order.next()), copy), "the key is there");
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

template <class Table>
void BM_get(benchmark::State& state) {
  const Pinned pinned(static_cast<unsigned>(state.thread_index()));
  get<Table>(state);
}

/// The next key depends on the value before: without that the processor may begin the next look while this one waits for memory.
template <class Table>
void BM_get_one_by_one(benchmark::State& state) {
  const typename Table::Reader reader;
  RandomOrder order(static_cast<std::uint64_t>(state.range(0)), 0);
  Copy copy;
  std::uint64_t zero = 0;
  for (auto _ : state) {
    check(table<Table>->get(Key(order.next() + zero), copy), "the key is there");
    benchmark::DoNotOptimize(copy);
    zero = static_cast<std::uint64_t>(copy.back());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

template <class Table>
void BM_get_while_replacing(benchmark::State& state) {
  std::atomic<bool> stop{false};
  std::uint64_t puts = 0;
  const Pinned pinned(0);
  std::thread writer([&] {
    const Pinned elsewhere(1);
    const typename Table::Reader reader;
    RandomOrder order(static_cast<std::uint64_t>(state.range(0)), 1);
    for (; !stop.load(std::memory_order_relaxed); ++puts) table<Table>->put(Key(order.next()), value);
  });
  get<Table>(state);
  stop = true;
  writer.join();
  state.counters["puts_per_second"] = benchmark::Counter(static_cast<double>(puts), benchmark::Counter::kIsRate);
}

template <class Table>
void BM_replace(benchmark::State& state) {
  const typename Table::Reader reader;
  RandomOrder order(static_cast<std::uint64_t>(state.range(0)), 0);
  for (auto _ : state) table<Table>->put(Key(order.next()), value);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

/// What the kernel has given to this process and malloc can't give back.
double resident_bytes() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double nanoseconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(steady_clock::now() - start).count();
}

/// From empty to a million keys and back. Other processes only ever add to a time: of several rounds, the least counts.
template <class Table>
void BM_fill_and_empty(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  double insert_ns = 1e300;
  double worst_ns = 1e300;
  double erase_ns = 1e300;
  const typename Table::Reader reader;
  for (auto _ : state) {
    const double before = resident_bytes();
    Table filled;
    double worst = 0;
    const auto start = steady_clock::now();
    auto last = start;
    for (std::uint64_t i = 0; i < keys; ++i) {
      filled.put(Key(i), value);
      const auto now = steady_clock::now();
      worst = std::max(worst, std::chrono::duration<double, std::nano>(now - last).count());
      last = now;
    }
    insert_ns = std::min(insert_ns, nanoseconds_since(start));
    worst_ns = std::min(worst_ns, worst);
    state.counters["overhead_bytes"] =
        (resident_bytes() - before) / static_cast<double>(keys) - sizeof(Key) - value_size;
    const auto middle = steady_clock::now();
    for (std::uint64_t i = 0; i < keys; ++i) filled.erase(Key(i * 7919 % keys));  // 7919 is prime: each key once
    erase_ns = std::min(erase_ns, nanoseconds_since(middle));
  }
  state.counters["insert_ns"] = insert_ns / static_cast<double>(keys);
  state.counters["worst_insert_us"] = worst_ns / 1000;
  state.counters["erase_ns"] = erase_ns / static_cast<double>(keys);
}

template <class Table>
void register_all(const std::string& name) {
  const auto add = [&](const char* work, void (*run)(benchmark::State&)) {
    return benchmark::RegisterBenchmark((std::string(work) + "/" + name).c_str(), run)
        ->Setup(make_table<Table>)
        ->Teardown(drop_table<Table>);
  };
  add("get", BM_get<Table>)->Arg(100)->Arg(5000)->Arg(100'000)->Arg(1'000'000);
  add("get", BM_get<Table>)->Arg(100'000)->Threads(2)->UseRealTime();
  add("get_one_by_one", BM_get_one_by_one<Table>)->Arg(1'000'000);
  add("get_while_replacing", BM_get_while_replacing<Table>)->Arg(5000)->Arg(100'000)->UseRealTime();
  add("replace", BM_replace<Table>)->Arg(5000)->Arg(100'000);
  benchmark::RegisterBenchmark(("fill_and_empty/" + name).c_str(), BM_fill_and_empty<Table>)
      ->Arg(1'000'000)
      ->Iterations(3)
      ->Unit(benchmark::kMillisecond);
}

/// The machine's part: one look at a random line of as many bytes as a million records take, each waiting for the one before.
void BM_machine_dependent_read(benchmark::State& state) {
  struct alignas(64) Line {
    std::uint32_t next;
  };
  std::vector<Line> lines((std::size_t{144} << 20U) / sizeof(Line));
  std::vector<std::uint32_t> ring(lines.size());
  std::iota(ring.begin(), ring.end(), 0U);
  RandomOrder order(std::uint64_t{1} << 32U, 0);
  for (std::size_t i = ring.size() - 1; i > 0; --i) std::swap(ring[i], ring[order.next() % i]);
  for (std::size_t i = 0; i < ring.size(); ++i) lines[ring[i]].next = ring[(i + 1) % ring.size()];
  std::uint32_t at = 0;
  for (auto _ : state) at = lines[at].next;
  benchmark::DoNotOptimize(at);
}
BENCHMARK(BM_machine_dependent_read);

}  // namespace

int main(int argc, char** argv) {
  register_all<Concord>("concord");
#if CONCORD_BENCH_URCU
  get_default_call_rcu_data();  // starts the thread that frees, before any thread is pinned to a core
  register_all<UrcuHash>("rculfhash");
#endif
  register_all<ShardedAbsl<std::shared_mutex>>("absl_shared_mutex");
  register_all<ShardedAbsl<SpinLock>>("absl_spin_lock");
#if CONCORD_BENCH_TBB
  register_all<TbbHash>("tbb");
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
