#include "content/sqlite/page_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace touchstone::sqlite {
namespace {

constexpr std::uint32_t kLogMagic = 0x377f0682;  ///< the lowest bit: big-endian checksums
constexpr std::size_t kFrameHeader = 24;
constexpr std::uint8_t kJournalMagic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

bool is_journal_magic(Bytes bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data(), kJournalMagic, 8) == 0;
}

/// The log's running checksum over `bytes`, whose size is a multiple of 8.
void add_to_sum(Bytes bytes, bool big_endian, std::uint32_t (&sum)[2]) {
  const auto word = [&](std::size_t at) {
    const std::uint32_t value = at32(bytes, at);
    return big_endian ? value : __builtin_bswap32(value);
  };
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum[0] += word(at) + sum[1];
    sum[1] += word(at + 4) + sum[0];
  }
}

/// The journal's sum of every 200th byte, without its nonce.
std::uint32_t sparse_sum(Bytes page) {
  std::uint32_t sum = 0;
  for (auto at = static_cast<std::int64_t>(page.size()) - 200; at > 0; at -= 200)
    sum += at8(page, static_cast<std::size_t>(at));
  return sum;
}

}  // namespace

void Problems::add(ErrorCode code, std::string message) {
  if (list_.size() + 1 < kMaxProblems) {
    const auto same = [&](const Error& e) { return e.message == message; };
    if (std::none_of(list_.begin(), list_.end(), same)) list_.push_back({code, std::move(message)});
  } else if (list_.size() < kMaxProblems) {
    list_.push_back({ErrorCode::limit, "more damage was met while deleted rows were looked for"});
  }
}

bool PageStore::read(ByteSource& source, std::uint64_t offset, std::vector<std::byte>& out,
                     std::size_t size) {
  out.resize(size);
  const auto got = source.read_at(offset, out);
  if (!got) {
    problems_->add(got.error().code, got.error().message);
    return false;
  }
  return *got == size;
}

Result<PageStore> PageStore::open(const DatabaseFiles& files, Problems& problems) {
  PageStore store(files, problems);
  if (!files.main) return Error{ErrorCode::not_found, "no database file"};
  const auto pages_of_main = [&] { return files.main->size() / store.header_.page_size; };
  if (auto known = store.read_header(); !known) return known.error();
  store.read_log();
  store.read_journal();
  // The first page may have another form in the log or the journal.
  std::vector<std::byte> page;
  PageImage image;
  store.page_count_ = 1;
  if (store.read_current(1, page, image) && !image.bytes.empty() && image.file != PageFile::main) {
    if (auto header = parse_header(image.bytes); header && header->page_size == store.header_.page_size)
      store.header_ = *header;
  }
  std::uint64_t there = pages_of_main();
  for (const auto& [number, frame] : store.current_frames_) there = std::max<std::uint64_t>(there, number);
  std::uint64_t said = store.header_.page_count_valid ? store.header_.page_count : there;
  if (store.committed_pages_ > 0) said = store.committed_pages_;
  if (store.hot_ && store.journal_pages_ > 0) said = store.journal_pages_;
  if (said > there)
    problems.add(ErrorCode::corrupt,
                 fmt::format("the database is said to have {} pages; {} are there", said, there));
  std::uint64_t count = std::min(said, there);
  if (count > kMaxPages) {
    problems.add(ErrorCode::limit,
                 fmt::format("only the first {} of {} pages are looked at", kMaxPages, count));
    count = kMaxPages;
  }
  store.page_count_ = static_cast<std::uint32_t>(count);
  return store;
}

Status PageStore::read_header() {
  std::vector<std::byte> start(100);
  const auto got = files_.main->read_at(0, start);
  if (!got) return got.error();
  start.resize(*got);
  if (auto header = parse_header(start)) {
    header_ = *header;
    header_known_ = true;
    return {};
  }
  // A damaged or empty main file: the log knows the page size.
  if (files_.wal && files_.wal->size() > 32) {
    if (!read(*files_.wal, 0, start, 32)) return Error{ErrorCode::corrupt, "no SQLite header"};
    const std::uint32_t size = at32(start, 8);
    if ((at32(start, 0) & ~1U) == kLogMagic && is_page_size(size)) {
      header_.page_size = header_.usable = size;
      return {};
    }
  }
  return Error{ErrorCode::corrupt, "no SQLite header"};
}

bool PageStore::read_log_header(Bytes bytes) {
  const std::uint32_t magic = at32(bytes, 0);
  if ((magic & ~1U) != kLogMagic) return false;
  big_endian_ = (magic & 1U) != 0;
  if (at32(bytes, 8) != header_.page_size) {
    problems_->add(ErrorCode::corrupt, "the write-ahead log has another page size than the database");
    return false;
  }
  salt_[0] = at32(bytes, 16);
  salt_[1] = at32(bytes, 20);
  add_to_sum(bytes.first(24), big_endian_, sum_);
  return sum_[0] == at32(bytes, 24) && sum_[1] == at32(bytes, 28);
}

void PageStore::read_log() {
  if (!files_.wal || files_.wal->size() < 32 + kFrameHeader + header_.page_size) return;
  std::vector<std::byte> start;
  if (!read(*files_.wal, 0, start, 32)) return;
  log_valid_ = read_log_header(start);
  if (!log_valid_)
    problems_->add(ErrorCode::corrupt,
                   "the write-ahead log's header is damaged; its frames are looked at one by one");
  read_frames();
}

/// Frames are in force as long as salts and running checksum hold, up to the last that commits.
void PageStore::read_frames() {
  const std::uint64_t frame_size = kFrameHeader + header_.page_size;
  std::uint64_t count = (files_.wal->size() - 32) / frame_size;
  if (count > kMaxFrames) {
    problems_->add(ErrorCode::limit,
                   fmt::format("only the first {} of {} frames of the write-ahead log are looked at",
                               kMaxFrames, count));
    count = kMaxFrames;
  }
  std::vector<std::byte> frame;
  std::uint32_t sum[2] = {sum_[0], sum_[1]}, last_salt[2] = {salt_[0], salt_[1]};
  bool in_force = log_valid_, sum_known = log_valid_;
  std::size_t committed = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!read(*files_.wal, 32 + i * frame_size, frame, static_cast<std::size_t>(frame_size))) break;
    const Bytes bytes = frame;
    const std::uint32_t salt[2] = {at32(bytes, 8), at32(bytes, 12)};
    const bool same_salt = salt[0] == last_salt[0] && salt[1] == last_salt[1];
    // A frame's checksum goes on from the one before it; behind a change of generation that one is gone.
    bool verified = false;
    if (sum_known && same_salt) {
      add_to_sum(bytes.first(8), big_endian_, sum);
      add_to_sum(bytes.subspan(kFrameHeader), big_endian_, sum);
      verified = sum[0] == at32(bytes, 16) && sum[1] == at32(bytes, 20);
    }
    in_force = in_force && verified && at32(bytes, 0) > 0 && salt[0] == salt_[0] && salt[1] == salt_[1];
    frames_.push_back({at32(bytes, 0), verified, false});
    if (in_force && at32(bytes, 4) > 0) {
      for (; committed <= i; ++committed) {
        frames_[committed].committed = true;
        current_frames_[frames_[committed].page] = static_cast<std::uint32_t>(committed);
      }
      committed_pages_ = at32(bytes, 4);
    }
    last_salt[0] = salt[0];
    last_salt[1] = salt[1];
    sum[0] = at32(bytes, 16);
    sum[1] = at32(bytes, 20);
    sum_known = true;
  }
  if (committed_pages_ > 0)
    std::erase_if(current_frames_, [&](const auto& entry) { return entry.first > committed_pages_; });
}

/// Moves `at` to the next header and reads it.
bool PageStore::find_journal_segment(std::uint64_t& at) {
  at = (at + sector_ - 1) / sector_ * sector_;
  std::vector<std::byte> start;
  if (at + 28 > files_.journal->size() || !read(*files_.journal, at, start, 28)) return false;
  const Bytes bytes = start;
  if (!is_journal_magic(bytes)) return false;
  nonce_ = at32(bytes, 12);
  nonce_known_ = true;
  if (at == 0) {
    journal_pages_ = at32(bytes, 16);
    const std::uint32_t sector = at32(bytes, 20);
    if (is_page_size(sector) || (sector >= 32 && sector < 512)) sector_ = sector;
    if (const std::uint32_t size = at32(bytes, 24); size != 0 && size != header_.page_size)
      problems_->add(ErrorCode::corrupt, "the rollback journal has another page size than the database");
  }
  std::uint32_t count = at32(bytes, 8);
  if (count == 0xffffffff) count = 0x7fffffff;
  at += sector_;
  hot_ = hot_ || count > 0;
  read_journal_records(at, count == 0 ? 0x7fffffff : count);
  return true;
}

void PageStore::read_journal_records(std::uint64_t& at, std::uint32_t count) {
  std::vector<std::byte> record;
  const std::size_t size = 8U + header_.page_size;
  for (std::uint32_t i = 0; i < count && records_.size() < kMaxFrames; ++i, at += size) {
    if (at + size > files_.journal->size() || !read(*files_.journal, at, record, size)) return;
    const Bytes bytes = record;
    const std::uint32_t page = at32(bytes, 0);
    // Where the count is not kept, a record that is none is the end.
    if (page == 0 || page > kMaxPages) return;
    const std::uint32_t sum =
        at32(bytes, 4U + header_.page_size) - sparse_sum(bytes.subspan(4, header_.page_size));
    if (nonce_known_ && sum != nonce_) return;
    records_.push_back({page, at + 4, nonce_known_});
    if (!nonce_known_) {
      // The header is zeroed when a transaction ends: all records of it share one nonce.
      if (records_.size() == 1) nonce_ = sum;
      if (sum != nonce_) {
        records_.pop_back();
        return;
      }
    }
  }
}

/// A zeroed header leaves the nonce to be guessed: that several records agree on it proves it.
void PageStore::check_unnamed_nonce() {
  for (JournalRecord& record : records_) record.verified = records_.size() > 1;
}

void PageStore::read_journal() {
  if (!files_.journal || files_.journal->size() < 512 + 8 + header_.page_size) return;
  std::uint64_t at = 0;
  if (!find_journal_segment(at)) {
    at = sector_;
    read_journal_records(at, 0x7fffffff);
    check_unnamed_nonce();
    return;
  }
  while (at < files_.journal->size() && find_journal_segment(at)) {
  }
  // A transaction over several databases is taken as ended (see database.hpp).
  std::vector<std::byte> end;
  if (read(*files_.journal, files_.journal->size() - 8, end, 8) && is_journal_magic(end)) hot_ = false;
  if (!hot_) return;
  for (const JournalRecord& record : records_) rolled_back_.try_emplace(record.page, record.offset);
  if (journal_pages_ > 0)
    std::erase_if(rolled_back_, [&](const auto& entry) { return entry.first > journal_pages_; });
}

bool PageStore::read_current(std::uint32_t page, std::vector<std::byte>& storage, PageImage& image) {
  if (page == 0 || page > page_count_) return false;
  image = {PageFile::main, page, (page - 1ULL) * header_.page_size, false, true, {}};
  ByteSource* source = files_.main;
  if (const auto journal = rolled_back_.find(page); journal != rolled_back_.end()) {
    source = files_.journal;
    image.file = PageFile::journal;
    image.file_offset = journal->second;
  } else if (const auto frame = current_frames_.find(page); frame != current_frames_.end()) {
    source = files_.wal;
    image.file = PageFile::wal;
    image.file_offset = frame_offset(frame->second);
    image.verified = true;
  }
  if (!read(*source, image.file_offset, storage, header_.page_size)) return false;
  image.bytes = storage;
  return true;
}

void PageStore::each_old_image(const std::function<bool(const PageImage&)>& each) {
  std::vector<std::byte> storage;
  const std::uint64_t in_main = std::min<std::uint64_t>(files_.main->size() / header_.page_size, kMaxPages);
  const auto give = [&](ByteSource& source, PageImage image) {
    if (!read(source, image.file_offset, storage, header_.page_size)) return true;
    image.bytes = storage;
    return each(image);
  };
  for (std::uint64_t page = 1; page <= in_main; ++page) {
    const auto number = static_cast<std::uint32_t>(page);
    if (number <= page_count_ && current_in_main(number)) continue;
    if (!give(*files_.main, {PageFile::main, number, (page - 1) * header_.page_size, false, false, {}}))
      return;
  }
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const auto current = current_frames_.find(frames_[i].page);
    if (current != current_frames_.end() && current->second == i) continue;
    if (frames_[i].page == 0) continue;
    if (!give(*files_.wal, {PageFile::wal, frames_[i].page, frame_offset(i), frames_[i].verified, false, {}}))
      return;
  }
  for (const JournalRecord& record : records_) {
    const auto current = rolled_back_.find(record.page);
    if (current != rolled_back_.end() && current->second == record.offset) continue;
    if (!give(*files_.journal, {PageFile::journal, record.page, record.offset, record.verified, false, {}}))
      return;
  }
}

}  // namespace touchstone::sqlite
