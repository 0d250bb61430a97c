#include "backup/restoration.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "base/crc32c.hpp"
#include "base/mutex.hpp"

namespace concord::backup {
namespace {

using command::CommandKind;
using command::OperationResult;
using command::OperationStatus;
using command::Outcome;
using command::RestoreStep;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// On their way at once: enough that the disks of all replicas have something to do.
constexpr std::size_t round_bytes = 4U << 20U;
constexpr milliseconds step_timeout{5000};
constexpr milliseconds first_pause{10};
constexpr milliseconds longest_pause{500};

/// The answers of the steps of a round. Shared with their completions, which may come after nobody waits any more.
class Round {
 public:
  void begin_one() {
    const base::MutexLock lock(mutex_);
    ++waiting_;
  }
  void end_one(Result<Outcome> outcome) {
    const base::MutexLock lock(mutex_);
    --waiting_;
    if (!outcome) {
      const Errc code = outcome.error().code();
      const bool may_go_on = code == Errc::overloaded || code == Errc::cluster_not_ready || code == Errc::timeout;
      if (!may_go_on && !fatal_) fatal_ = std::move(outcome.error());
    } else if (const OperationResult& result = outcome->results.front(); result.status == OperationStatus::ok) {
      next_ = std::max(next_, result.count);
    } else {
      is_gone_ = true;
    }
    answered_.notify_one();
  }
  /// True once all are answered.
  [[nodiscard]] bool wait(milliseconds time) {
    base::MutexLock lock(mutex_);
    return answered_.wait_for(lock, time, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return waiting_ == 0; });
  }
  /// The number of the first chunk that is not staged, as far as was told; or why there is no going on.
  [[nodiscard]] Result<std::uint64_t> next() {
    const base::MutexLock lock(mutex_);
    if (fatal_) return std::unexpected(*fatal_);
    if (is_gone_) {
      return fail(Errc::cluster_not_ready,
                  "the restore was given up: another one has taken its place, or it stood still for too long; nothing "
                  "was changed");
    }
    return next_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar answered_;
  std::size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_gone_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Error> fatal_ ABSL_GUARDED_BY(mutex_);
};

class Restoration {
 public:
  Restoration(node::Runtime& runtime, const RestoreRequest& request, Reader& reader, const Watch& watch)
      : runtime_(runtime), request_(request), reader_(reader), watch_(watch) {
    std::random_device source;
    const std::uint64_t id = (std::uint64_t{source()} << 32U) | source();
    id_ = command::RestoreId(id == 0 ? 1 : id);
  }

  Result<RestoredBackup> run() {
    RestoreStep begin{
        .id = id_, .wall_offset_ms = reader_.manifest().wall_offset_ms, .with_tokens = request_.with_tokens};
    begin.prefixes.assign(request_.prefixes.begin(), request_.prefixes.end());
    bool may_be_begun = false;
    if (auto begun = insist(CommandKind::restore_begin, begin, may_be_begun); !begun)
      return std::unexpected(std::move(begun.error()));
    auto done = send_chunks();
    if (done) done = watch_(1, 1);
    if (!done) {
      give_up();
      return std::unexpected(std::move(done.error()));
    }
    return commit();
  }

 private:
  [[nodiscard]] Result<void> look(std::uint64_t more_bytes = 0) const {
    if (steady_clock::now() >= request_.deadline) return fail(Errc::timeout, "the time is over; nothing was changed");
    const std::uint64_t size_bytes = reader_.size_bytes();
    return watch_(size_bytes + std::min(size_bytes, reader_.offset() + more_bytes), 2 * size_bytes);
  }

  [[nodiscard]] node::Write write_of(CommandKind kind, const RestoreStep& step) const {
    return {.kind = kind, .restore = &step, .as_token = request_.as_token};
  }

  /// Until it is answered, or there is no time left. `may_be_done`: an attempt before the answer may have done it.
  Result<Outcome> insist(CommandKind kind, const RestoreStep& step, bool& may_be_done) {
    for (milliseconds pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
      auto outcome = runtime_.write(write_of(kind, step), step_timeout);
      if (outcome) return outcome;
      const Errc code = outcome.error().code();
      may_be_done |= outcome.error().maybe_committed();
      const bool may_go_on = code == Errc::overloaded || code == Errc::cluster_not_ready || code == Errc::timeout;
      auto go_on = may_go_on ? look() : Result<void>(std::unexpected(outcome.error()));
      if (!go_on) {
        const bool is_unknown = may_be_done && kind == CommandKind::restore_commit;
        return fail(go_on.error().code(),
                    is_unknown ? "the commit of the restore was not answered; whether it happens is unknown"
                               : go_on.error().message(),
                    is_unknown);
      }
      std::this_thread::sleep_for(pause);
    }
  }

  Result<void> read_round(std::deque<std::shared_ptr<const std::string>>& chunks) {
    const std::size_t most_bytes =
        std::min<std::size_t>(round_bytes, runtime_.options().limits.max_in_flight_bytes / 4);
    std::size_t bytes = 0;
    while (!at_end_ && (chunks.empty() || bytes < most_bytes)) {
      auto raw = std::make_shared<std::string>();
      const auto more = reader_.next(*raw);
      if (!more) return std::unexpected(more.error());
      at_end_ = !*more;
      if (at_end_) break;
      crc_ = base::crc32c_extend(crc_, *raw);
      bytes += raw->size();
      chunks.push_back(std::move(raw));
    }
    return {};
  }

  /// Each round is sent, the next one read, then the answers are awaited.
  Result<void> send_chunks() {
    std::deque<std::shared_ptr<const std::string>> chunks;
    std::deque<std::shared_ptr<const std::string>> following;
    if (auto read = read_round(chunks); !read) return read;
    milliseconds pause = first_pause;
    while (!chunks.empty()) {
      auto round = std::make_shared<Round>();
      for (std::size_t at = 0; at < chunks.size(); ++at) send(*chunks[at], first_ + at, round);
      if (following.empty()) {
        if (auto read = read_round(following); !read) return read;
      }
      do {
        if (auto go_on = look(); !go_on) return go_on;
      } while (!round->wait(milliseconds(100)));
      const auto next = round->next();
      if (!next) return std::unexpected(next.error());
      const std::size_t staged =
          std::min<std::size_t>(chunks.size(), static_cast<std::size_t>(std::max(*next, first_) - first_));
      chunks.erase(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(staged));
      first_ += staged;
      if (!chunks.empty()) {  // again, but not at once
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, longest_pause);
        continue;
      }
      pause = first_pause;
      chunks.swap(following);
    }
    return {};
  }

  void send(const std::string& items, std::uint64_t number, const std::shared_ptr<Round>& round) {
    const RestoreStep step{.id = id_, .number = number, .items = items};
    round->begin_one();
    runtime_.write_async(write_of(CommandKind::restore_chunk, step), step_timeout,
                         [round](Result<Outcome> outcome) { round->end_one(std::move(outcome)); });
  }

  Result<RestoredBackup> commit() {
    bool may_be_done = false;
    const auto outcome = insist(CommandKind::restore_commit, {.id = id_, .chunks = first_, .crc = crc_}, may_be_done);
    if (!outcome) return std::unexpected(outcome.error());
    const OperationResult& result = outcome->results.front();
    if (result.status != OperationStatus::ok && may_be_done) {
      return fail(Errc::timeout,
                  "the commit of the restore was not answered, and another restore has come since; whether it happened "
                  "is unknown",
                  true);
    }
    if (result.status != OperationStatus::ok) {
      return fail(Errc::cluster_not_ready,
                  "the restore was given up: another one has taken its place, or it stood still for too long; nothing "
                  "was changed");
    }
    // The answer of a commit that is asked for again does not count anew.
    const std::uint64_t count = result.count != 0 ? result.count : runtime_.state().size();
    return RestoredBackup{.revision = outcome->revision, .entry_count = count};
  }

  /// Nobody waits for it: what is left staged is dropped without it too, only later.
  void give_up() {
    const RestoreStep step{.id = id_};
    runtime_.write_async(write_of(CommandKind::restore_abort, step), step_timeout, [](const Result<Outcome>&) {});
  }

  node::Runtime& runtime_;
  const RestoreRequest& request_;
  Reader& reader_;
  const Watch& watch_;
  command::RestoreId id_;
  std::uint64_t first_ = 0;  // number of the first chunk that is not staged
  std::uint32_t crc_ = 0;    // of all chunks read
  bool at_end_ = false;
};

}  // namespace

Result<RestoredBackup> restore(node::Runtime& runtime, env::FileSystem& files, const RestoreRequest& request,
                               const Watch& watch) {
  const auto looked_through = verify(files, request.path, runtime.options().limits.max_value_bytes,
                                     [&](std::uint64_t done, std::uint64_t total) -> Result<void> {
                                       if (steady_clock::now() >= request.deadline) {
                                         return fail(Errc::timeout, "the time is over; nothing was changed");
                                       }
                                       return watch(done, 2 * total);
                                     });
  if (!looked_through) return std::unexpected(looked_through.error());
  auto reader = Reader::open(files, request.path);
  if (!reader) return std::unexpected(std::move(reader.error()));
  return Restoration(runtime, request, **reader, watch).run();
}

}  // namespace concord::backup
