#include "audit/log.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <future>

#include "audit/verify.hpp"
#include "base/timeout.hpp"

namespace concord::audit {
namespace {

using std::chrono::milliseconds;

/// What a place takes of the buffer until its record is there.
constexpr std::int64_t room_bytes = 512;
constexpr std::int64_t buffer_bytes = 4 << 20;
/// So much is written at once, without waiting for more.
constexpr std::size_t hurry_bytes = 256U << 10U;
constexpr milliseconds gather_time{5};
constexpr milliseconds sync_interval{100};
constexpr milliseconds retry_interval{200};
constexpr std::chrono::hours clean_interval{1};
constexpr std::chrono::minutes refusal_window{1};
constexpr std::uint32_t refusals_of_a_window = 1000;
constexpr milliseconds close_limit{2000};
constexpr std::size_t lines_of_a_step = 1024;

Result<void> check(const AuditLogOptions& options) {
  if (options.rotation_size_bytes < 4096) {
    return fail(Errc::invalid_request, "audit_log.rotation_size: at least 4096 bytes");
  }
  if (options.retention.count() < 1) return fail(Errc::invalid_request, "audit_log.retention_days: at least 1");
  return {};
}

Result<std::uint64_t> draw_seed() {
  const auto drawn = draw_key();
  if (!drawn) return std::unexpected(drawn.error());
  std::uint64_t seed = 0;
  std::from_chars(drawn->data(), drawn->data() + 16, seed, 16);
  return seed;
}

}  // namespace

Room::~Room() {
  if (taken_ != nullptr) taken_->fetch_sub(room_bytes, std::memory_order_relaxed);
}

Result<std::unique_ptr<Log>> Log::open(std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock,
                                       const AuditLogOptions& options, std::string node, Remark remark) {
  if (auto valid = check(options); !valid) return std::unexpected(std::move(valid.error()));
  const std::string directory = options.log_dir.string();
  if (auto made = files->make_private_directory(directory); !made) return std::unexpected(std::move(made.error()));
  auto lock = files->lock(directory + "/LOCK");
  if (!lock) {
    return fail(lock.error().code(),
                "the audit log (each node needs an audit_log.log_dir of its own): " + lock.error().message());
  }
  auto seed = draw_seed();
  if (!seed) return std::unexpected(std::move(seed.error()));
  WriterSettings settings{
      .directory = directory,
      .key_path = options.key_file.empty() ? directory + "/" + std::string(key_name) : options.key_file.string(),
      .style = {.node = std::move(node), .shows_keys = options.sensitive_keys},
      .rotation_size_bytes = options.rotation_size_bytes,
      .retention_days = static_cast<std::uint32_t>(options.retention.count()),
      .seed = *seed};
  std::vector<std::string> remarks;
  auto writer = Writer::open(*files, *clock, std::move(settings), remarks);
  if (!writer) return fail(writer.error().code(), "the audit log: " + writer.error().message());
  // A disk that is full now may have space later: the writing thread tries again.
  if (auto begun = writer->prepare(); !begun) remarks.push_back("it can't be written: " + begun.error().message());
  if (remark) {
    for (const std::string& line : remarks) remark(LogLevel::warn, "audit log " + directory + ": " + line);
  }
  return std::unique_ptr<Log>(
      new Log(std::move(files), std::move(clock), options, std::move(remark), std::move(*lock), std::move(*writer)));
}

Log::Log(std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock, const AuditLogOptions& options,
         Remark remark, std::unique_ptr<env::FileLock> lock, Writer writer)
    : files_(std::move(files)),
      clock_(std::move(clock)),
      options_(options),
      directory_(options.log_dir.string()),
      remark_(std::move(remark)),
      lock_(std::move(lock)),
      writer_(std::move(writer)),
      writing_([this] { write_until_over(); }),
      answering_([this] { answer_until_over(); }) {}

Log::~Log() { close(); }

void Log::close() {
  is_closing_ = true;
  {
    const base::MutexLock lock(asked_mutex_);
    is_asking_over_ = true;
    asked_changed_.notify_all();
  }
  if (answering_.joinable()) answering_.join();
  {
    const base::MutexLock lock(mutex_);
    tell_of_suppressed();
    is_over_ = true;
    changed_.notify_all();
  }
  if (writing_.joinable()) writing_.join();
}

// ---------------------------------------------------------------------------------------------------------------------
// Recording.

Room Log::take_room() noexcept {
  if (taken_bytes_.fetch_add(room_bytes, std::memory_order_relaxed) + room_bytes <= buffer_bytes) [[likely]]
    return Room(taken_bytes_);
  taken_bytes_.fetch_sub(room_bytes, std::memory_order_relaxed);
  return {};
}

Error Log::no_room() const {
  if (!problem_.empty()) return {problem_code_, "the audit log can't be written: " + problem_ + "; nothing was done"};
  return {Errc::overloaded, "the buffer of the audit log is full; nothing was done"};
}

void Log::when_room(milliseconds timeout, std::move_only_function<void(Result<Room>)> done) {
  Room room = take_room();
  if (room || options_.when_full == AuditFull::drop) return done(std::move(room));
  {
    const base::MutexLock lock(mutex_);
    if (!is_over_) {
      waiters_.push_back({.limit = Steady::now() + base::bounded(timeout), .done = std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  done(fail(Errc::cluster_not_ready, "the node is stopping; nothing was done"));
}

Result<Room> Log::wait_room(milliseconds timeout) {
  Room room = take_room();
  if (room) [[likely]]
    return room;
  const auto answer = std::make_shared<std::promise<Result<Room>>>();
  auto answered = answer->get_future();
  when_room(timeout, [answer](Result<Room> found) { answer->set_value(std::move(found)); });
  return answered.get();
}

void Log::append_to_queue(const Record& record, std::int64_t room_bytes_taken) {
  const bool was_empty = queue_.empty();
  const std::size_t before = queue_.size();
  append_record(queue_, record);
  taken_bytes_.fetch_add(static_cast<std::int64_t>(queue_.size() - before) - room_bytes_taken,
                         std::memory_order_relaxed);
  if (was_empty || (before < hurry_bytes && queue_.size() >= hurry_bytes)) changed_.notify_one();
}

void Log::record(Room room, Record&& record) {
  if (!room) {  // AuditFull::drop
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (record.time_us == 0) record.time_us = clock_->wall_us();
  const base::MutexLock lock(mutex_);
  if (is_over_) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  append_to_queue(record, room_bytes);
  room.keep();  // what it took has been given back with that
}

void Log::record_refusal(Record&& record) {
  if (record.time_us == 0) record.time_us = clock_->wall_us();
  const base::MutexLock lock(mutex_);
  const auto now = Steady::now();
  if (now - refusals_since_ >= refusal_window) {
    tell_of_suppressed();
    refusals_since_ = now;
    refusals_ = 0;
  }
  const bool is_strange = record.user.is_zero();
  const bool is_full = taken_bytes_.load(std::memory_order_relaxed) >= 2 * buffer_bytes;
  if (is_over_ || is_full || (is_strange && refusals_ >= refusals_of_a_window)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    ++suppressed_;
    return;
  }
  if (is_strange) ++refusals_;
  append_to_queue(record, 0);
}

void Log::tell_of_suppressed() {
  if (suppressed_ == 0) return;
  append_to_queue({.time_us = clock_->wall_us(),
                   .operation = "audit_suppressed",
                   .is_by_system = true,
                   .count = std::exchange(suppressed_, 0)},
                  0);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing.

void Log::write_until_over() {
  try {
    write_turns();
  } catch (const std::exception& failure) {  // no memory, or a defect
    {
      const base::MutexLock lock(mutex_);
      problem_ = failure.what();
      problem_code_ = Errc::internal;
    }
    if (remark_) remark_(LogLevel::error, std::string("audit log: it ends: ") + failure.what());
  }
  std::deque<std::move_only_function<void(Writer&)>> tasks;
  std::vector<Waiter> waiters;
  {
    const base::MutexLock lock(mutex_);
    is_over_ = true;
    tasks.swap(tasks_);
    waiters.swap(waiters_);
    written_.notify_all();
  }
  for (auto& task : tasks) task(writer_);
  for (Waiter& waiter : waiters) waiter.done(fail(Errc::cluster_not_ready, "the node is stopping; nothing was done"));
}

void Log::write_turns() {
  std::string batch;
  synced_at_ = Steady::now();
  std::optional<Steady::time_point> end;
  for (;;) {
    std::deque<std::move_only_function<void(Writer&)>> tasks;
    await_work(batch, tasks);
    Result<void> done = write_batch(batch);
    const bool is_written = done.has_value();
    for (auto& task : tasks) task(writer_);
    if (done) done = clean_in_time();
    if (done) done = sync_in_time();
    finish_turn(done, is_written);
    answer_waiters();
    base::MutexLock lock(mutex_);
    if (is_over_) {
      if (!end) end = Steady::now() + close_limit;
      const bool is_empty = batch.empty() && queue_.empty();
      if (is_empty || Steady::now() >= *end) break;
    }
    if (!done) changed_.wait_until(lock, Steady::now() + retry_interval);
  }
  const auto closed =
      batch.empty() ? writer_.close() : Result<void>(fail(Errc::storage_failed, "some was not written"));
  if (!closed && remark_) remark_(LogLevel::error, "audit log: entries were lost: " + closed.error().message());
}

void Log::await_work(std::string& batch, std::deque<std::move_only_function<void(Writer&)>>& tasks) {
  base::MutexLock lock(mutex_);
  const bool is_new = cleaned_at_ == Steady::time_point();
  const auto due = is_new                ? Steady::now()
                   : writer_.is_synced() ? cleaned_at_ + clean_interval
                                         : synced_at_ + sync_interval;
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return is_over_ || is_hurried_ || !tasks_.empty() || !queue_.empty() || !waiters_.empty();
  };
  if (batch.empty()) (void)changed_.wait_until(lock, due, has_work);
  const auto is_urgent = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return is_over_ || is_hurried_ || !tasks_.empty() || queue_.size() >= hurry_bytes;
  };
  if (!is_new) (void)changed_.wait_for(lock, gather_time, is_urgent);
  is_hurried_ = false;
  tasks.swap(tasks_);
  if (!batch.empty() || queue_.empty()) return;
  batch.swap(queue_);
  ++batches_taken_;
}

/// May be called again with the same batch, when it failed.
Result<void> Log::write_batch(std::string& batch) {
  if (batch.empty()) return {};
  if (appended_entries_ == 0) {
    if (auto prepared = writer_.prepare(); !prepared) return prepared;
    RecordReader records(batch);
    for (Record record; records.next(record); ++appended_entries_) writer_.append(record);
  }
  if (auto flushed = writer_.flush(); !flushed) return flushed;
  entries_.fetch_add(std::exchange(appended_entries_, 0), std::memory_order_relaxed);
  taken_bytes_.fetch_sub(static_cast<std::int64_t>(batch.size()), std::memory_order_relaxed);
  batch.clear();
  return {};
}

Result<void> Log::sync_in_time() {
  const auto now = Steady::now();
  if (writer_.is_synced() || now < synced_at_ + sync_interval) return {};
  synced_at_ = now;
  return writer_.sync();
}

Result<void> Log::clean_in_time() {
  const auto now = Steady::now();
  if (now < cleaned_at_ + clean_interval && cleaned_at_ != Steady::time_point()) return {};
  cleaned_at_ = now;
  if (auto synced = writer_.sync(); !synced) return synced;
  if (auto prepared = writer_.prepare(); !prepared) return prepared;
  if (auto removed = writer_.cleanup(); !removed) return std::unexpected(std::move(removed.error()));
  return writer_.flush();
}

void Log::finish_turn(const Result<void>& done, bool is_written) {
  bool is_news = false;
  {
    const base::MutexLock lock(mutex_);
    ++turns_;
    if (is_written) batches_written_ = batches_taken_;
    is_news = done.has_value() != problem_.empty();
    problem_ = done ? "" : done.error().message();
    if (!done) problem_code_ = done.error().code();
    written_.notify_all();
  }
  if (!is_news || !remark_) return;
  remark_(done ? LogLevel::info : LogLevel::error,
          done ? "audit log: it can be written again" : "audit log: it can't be written: " + done.error().message());
}

/// Those that there is room for, and those that have waited long enough.
void Log::answer_waiters() {
  std::vector<std::pair<Waiter, Result<Room>>> answers;
  {
    const base::MutexLock lock(mutex_);
    const auto now = Steady::now();
    std::vector<Waiter> left;
    for (Waiter& waiter : waiters_) {
      Room room = take_room();
      if (room) {
        answers.emplace_back(std::move(waiter), std::move(room));
      } else if (now >= waiter.limit) {
        answers.emplace_back(std::move(waiter), std::unexpected(no_room()));
      } else {
        left.push_back(std::move(waiter));
      }
    }
    waiters_.swap(left);
  }
  for (auto& [waiter, answer] : answers) waiter.done(std::move(answer));
}

// ---------------------------------------------------------------------------------------------------------------------
// Asking.

void Log::settle() {
  base::MutexLock lock(mutex_);
  const std::uint64_t wanted = batches_taken_ + (queue_.empty() ? 0 : 1);
  const std::uint64_t before = turns_;  // one may be under way; the next one has seen all of the queue
  is_hurried_ = true;
  changed_.notify_one();
  written_.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return batches_written_ >= wanted || (turns_ >= before + 2 && !problem_.empty()) || is_over_;
  });
}

Result<void> Log::ask_writer(std::move_only_function<Result<void>(Writer&)> task) {
  settle();
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  auto answered = answer->get_future();
  {
    const base::MutexLock lock(mutex_);
    if (is_over_) return fail(Errc::cluster_not_ready, "the node is stopping");
    tasks_.emplace_back([answer, task = std::move(task)](Writer& writer) mutable { answer->set_value(task(writer)); });
    changed_.notify_one();
  }
  return answered.get();
}

Result<std::vector<std::string>> Log::query(const AuditQuery& query) {
  const auto filter = filter_of(query);
  if (!filter) return std::unexpected(filter.error());
  settle();
  return find_newest(place(), *filter, query.limit);
}

Result<LineSearch> Log::search(AuditQuery query) {
  query.limit = 1;
  auto filter = filter_of(query);
  if (!filter) return std::unexpected(std::move(filter.error()));
  settle();
  return LineSearch::begin(place(), std::move(*filter));
}

Result<void> Log::visit(const AuditQuery& query, const VisitLine& visit) {
  auto lines = search(query);
  if (!lines) return std::unexpected(std::move(lines.error()));
  for (;;) {
    const auto is_more = lines->step(lines_of_a_step, visit);
    if (!is_more) return std::unexpected(is_more.error());
    if (!*is_more) return {};
  }
}

Result<void> Log::rotate() {
  return ask_writer([](Writer& writer) {
    writer.rotate();
    return writer.prepare();
  });
}

Result<std::uint64_t> Log::cleanup() {
  const auto removed = std::make_shared<std::uint64_t>(0);
  auto done = ask_writer([removed](Writer& writer) -> Result<void> {
    if (auto prepared = writer.prepare(); !prepared) return prepared;
    if (auto synced = writer.sync(); !synced) return synced;
    auto count = writer.cleanup();
    if (!count) return std::unexpected(std::move(count.error()));
    *removed = *count;
    return writer.flush();
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return *removed;
}

Result<AuditVerification> Log::verify() {
  const auto told = std::make_shared<std::pair<Position, std::string>>();
  auto done = ask_writer([told](Writer& writer) -> Result<void> {
    *told = {writer.position(), writer.key()};
    return {};
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return audit::verify(*files_, {.directory = directory_,
                                 .key = told->second,
                                 .is_stopped = [this] { return is_closing_.load(); },
                                 .live = told->first});
}

Result<AuditStats> Log::stats() {
  settle();
  AuditStats stats{.enabled = true, .log_dir = directory_};
  const auto names = files_->list(directory_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!date_in(name)) continue;
    const auto file = files_->open(directory_ + "/" + name, env::OpenMode::read);
    const auto size = file ? (*file)->size_bytes() : Result<std::uint64_t>(std::unexpected(file.error()));
    if (!size) continue;  // removed meanwhile
    ++stats.files;
    stats.total_size += *size;
    if (name == day_name(date_of(clock_->wall_us()))) stats.current_log_size = *size;
  }
  stats.entries = entries();
  stats.dropped = dropped();
  stats.queued = queued_bytes();
  stats.problem = problem();
  return stats;
}

std::uint64_t Log::queued_bytes() const noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, taken_bytes_.load(std::memory_order_relaxed)));
}

std::string Log::problem() const {
  const base::MutexLock lock(mutex_);
  return problem_;
}

void Log::ask(std::move_only_function<void()> task) {
  {
    const base::MutexLock lock(asked_mutex_);
    if (!is_asking_over_) {
      asked_.push_back(std::move(task));
      asked_changed_.notify_one();
      return;
    }
  }
  task();  // it is told that the log is closing
}

void Log::answer_until_over() {
  for (;;) {
    std::move_only_function<void()> task;
    {
      base::MutexLock lock(asked_mutex_);
      asked_changed_.wait(
          lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(asked_mutex_) { return is_asking_over_ || !asked_.empty(); });
      if (asked_.empty()) return;
      task = std::move(asked_.front());
      asked_.pop_front();
    }
    task();
  }
}

}  // namespace concord::audit
