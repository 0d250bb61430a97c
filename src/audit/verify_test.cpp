// Whatever is changed in the files of a log is found.
#include "audit/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/testing_log.hpp"

namespace concord::audit {
namespace {

using testing::HasSubstr;

/// Three files: ended, ended, and the newest one, of a log that was closed.
class AuditVerify : public TestingLog {
 protected:
  AuditVerify() {
    open();
    for (int file = 0; file < 3; ++file) {
      if (file > 0) {
        EXPECT_TRUE(log_->rotate());
      }
      for (int i = 0; i < 3; ++i) record(i == 1 ? "delete" : "put", "key" + std::to_string(i));
      settle();
    }
    close();
  }

  /// The problems of a copy that `change(copy)` was done to; empty: none was found.
  template <class Change>
  std::string problems_of(const Change& change) {
    const auto copy = files_->clone();
    change(*copy);
    const AuditVerification verified = verify_closed(*copy);
    EXPECT_EQ(verified.valid, verified.problems.empty());
    return text_of(verified);
  }
  std::string problems_with(const std::string& path, const std::string& text) {
    return problems_of([&](env::MemoryFileSystem& files) { files.set_contents(path, text); });
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at) + 1;
      lines.push_back(text.substr(at, end - at));
      at = end;
    }
    return lines;
  }
  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
  }
};

TEST_F(AuditVerify, AWholeLogIsValid) {
  const AuditVerification verified = verify_closed(*files_);
  EXPECT_TRUE(verified.valid) << text_of(verified);
  EXPECT_EQ(verified.files, 3U);
  EXPECT_EQ(verified.entries, 9U);
}

TEST_F(AuditVerify, AnyChangedByteIsFound) {
  for (const std::string& path : log_files()) {
    const std::string text = files_->contents(path);
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      ASSERT_NE(problems_with(path, changed), "") << path << " at " << at;
    }
  }
}

TEST_F(AuditVerify, AnyRemovedOrInsertedByteIsFound) {
  for (const std::string& path : log_files()) {
    const std::string text = files_->contents(path);
    for (std::size_t at = 0; at <= text.size(); at += at + 40 < text.size() ? 7 : 1) {
      std::string inserted = text;
      inserted.insert(at, 1, at % 2 == 0 ? ' ' : '\n');
      ASSERT_NE(problems_with(path, inserted), "") << path << " at " << at;
      if (at == text.size()) continue;
      std::string removed = text;
      removed.erase(at, 1);
      ASSERT_NE(problems_with(path, removed), "") << path << " at " << at;
    }
  }
}

TEST_F(AuditVerify, AnyRemovedRepeatedOrExchangedLineIsFound) {
  for (const std::string& path : log_files()) {
    const auto lines = lines_of(files_->contents(path));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto changed = lines;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_NE(problems_with(path, joined(changed)), "") << path << " without line " << i;
      changed = lines;
      changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
      EXPECT_NE(problems_with(path, joined(changed)), "") << path << " with line " << i << " twice";
      if (i == 0) continue;
      changed = lines;
      std::swap(changed[i - 1], changed[i]);
      EXPECT_NE(problems_with(path, joined(changed)), "") << path << " with line " << i << " before its time";
      changed.assign(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_NE(problems_with(path, joined(changed)), "") << path << " without its end from line " << i;
    }
  }
}

TEST_F(AuditVerify, AMissingFileIsFound) {
  for (const std::string& path : log_files()) {
    EXPECT_THAT(problems_of([&](env::MemoryFileSystem& files) { EXPECT_TRUE(files.remove(path)); }),
                HasSubstr("is missing"))
        << path;
  }
  EXPECT_THAT(problems_of([&](env::MemoryFileSystem& files) {
                for (const std::string& path : log_files()) EXPECT_TRUE(files.remove(path));
              }),
              HasSubstr("files number 1 to 3 are missing"));
}

TEST_F(AuditVerify, AFileThatIsPutInIsFound) {
  const std::string text = files_->contents(log_files().front());
  EXPECT_NE(problems_with("logs/audit_2026-02-01.jsonl", text), "");
  EXPECT_NE(problems_with("logs/audit_2026-02-01.jsonl", "{}\n"), "");
}

TEST_F(AuditVerify, AMissingOrForeignStateIsFound) {
  EXPECT_THAT(problems_of([](env::MemoryFileSystem& files) { EXPECT_TRUE(files.remove("logs/audit.state")); }),
              HasSubstr("audit.state:0: is missing"));
  EXPECT_THAT(problems_with("logs/audit.state", std::string(1024, ' ')), HasSubstr("is damaged"));
  std::string state = files_->contents("logs/audit.state");
  for (char& c : state) {
    if (c == '3') c = '2';  // "newest", among others
  }
  EXPECT_THAT(problems_with("logs/audit.state", state), HasSubstr("is not signed with this key"));
}

/// Whoever does not know the key can make a chain of hashes, but no end of a file.
TEST_F(AuditVerify, AChainThatWasMadeAnewIsFoundByItsSignatures) {
  const std::string path = log_files().back();
  const auto lines = lines_of(files_->contents(path));
  Sha256 sha256;
  Hex previous;
  std::string forged;
  for (const std::string& text : lines) {
    const auto line = read_line(std::string_view(text).substr(0, text.size() - 1));
    ASSERT_TRUE(line);
    if (forged.empty()) {
      std::ranges::copy(line->hash, previous.begin());
      forged = text;
      continue;
    }
    std::string changed(line->hashed);
    if (const auto at = changed.find("\"delete\""); at != std::string::npos) changed.replace(at, 8, "\"put\"");
    const std::size_t begin = forged.size();
    forged += changed;
    previous = seal_line(forged, begin, previous, sha256);
  }
  EXPECT_THAT(problems_with(path, forged), HasSubstr("is not signed with this log's key"));
}

TEST_F(AuditVerify, WithoutTheKeyTheChainIsChecked) {
  const std::string directory = "logs";
  EXPECT_TRUE(audit::verify(*files_, {.directory = directory, .key = {}})->valid);
  const std::string path = log_files().front();
  std::string text = files_->contents(path);
  text[text.size() / 2] ^= 1;
  const auto copy = files_->clone();
  copy->set_contents(path, text);
  EXPECT_FALSE(audit::verify(*copy, {.directory = directory, .key = {}})->valid);
}

TEST_F(AuditVerify, WhileItIsWrittenTheNodeKnowsMoreThanTheState) {
  open();
  record("put");
  settle();
  EXPECT_TRUE(log_->verify()->valid) << text_of(*log_->verify());
  const std::string path = "logs/audit_2026-02-03.jsonl";
  const auto lines = lines_of(files_->contents(path));
  files_->set_contents(path, joined({lines.begin(), lines.end() - 1}));
  EXPECT_FALSE(log_->verify()->valid);
}

TEST_F(AuditVerify, ANodeThatFindsItsLogChangedBeginsANewFileAndSaysSo) {
  const std::string path = "logs/audit_2026-02-03.jsonl";
  const auto lines = lines_of(files_->contents(path));
  files_->set_contents(path, joined({lines.begin(), lines.end() - 1}));
  open();
  EXPECT_THAT(remarks_, HasSubstr("bytes; it had"));
  record("touch");
  EXPECT_EQ(operations({.operation = "touch"}).size(), 1U);
  const auto verified = log_->verify();
  EXPECT_FALSE(verified->valid);
  EXPECT_THAT(text_of(*verified), HasSubstr("does not follow from the file before it"));
}

}  // namespace
}  // namespace concord::audit
