// Records through shared memory: in order, whole, and readable after the writer's death.
#include "wire/outcome_ring.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace poold::wire {
namespace {

class Memory {
 public:
  Memory() : memory_(mmap(nullptr, kWorkerPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    page().reader_wants_bell = 1;
  }
  ~Memory() { munmap(memory_, kWorkerPageBytes); }
  void* get() { return memory_; }
  WorkerPage& page() { return *static_cast<WorkerPage*>(memory_); }
  char* ring() { return static_cast<char*>(memory_) + kRingOffset; }

 private:
  void* memory_;
};

RecordHeader Header(std::uint32_t ticket) { return {.kind = RecordKind::kResult, .ticket = ticket}; }
void NoBell() {}

std::vector<std::string> DrainAll(RingReader* reader) {
  std::vector<std::string> records;
  std::string whole;
  const absl::Status drained = reader->Drain([&](const RecordHeader& header, std::string_view bytes) {
    whole += bytes;
    if ((header.flags & kMoreFollows) != 0) return;
    records.push_back(std::move(whole));
    whole.clear();
  });
  EXPECT_TRUE(drained.ok()) << drained;
  return records;
}

TEST(OutcomeRingTest, WhoLooksAgainByItselfWantsNoBell) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  const auto ignore = [](const RecordHeader&, std::string_view) {};
  ASSERT_TRUE(reader.Drain(RingReader::Bell::kNotWanted, ignore).ok());
  EXPECT_FALSE(reader.HasUnread());
  writer.Append(Header(1), "one", NoBell);
  EXPECT_TRUE(reader.HasUnread());
  EXPECT_FALSE(writer.TakeBell());
  ASSERT_TRUE(reader.Drain(ignore).ok());
  writer.Append(Header(1), "two", NoBell);
  EXPECT_TRUE(writer.TakeBell());
}

TEST(OutcomeRingTest, RecordsComeInOrder) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  for (const char* text : {"one", "", "three"}) writer.Append(Header(1), text, NoBell);
  EXPECT_EQ(DrainAll(&reader), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(writer.unread().bytes, 0u);
  EXPECT_TRUE(DrainAll(&reader).empty());
}

TEST(OutcomeRingTest, HeadersComeAsTheyWent) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  writer.Append({.bytes = 999, .kind = RecordKind::kStderr, .ticket = 5, .item = 6, .encoding = 3, .elapsed_ns = 77},
                "text", NoBell);
  int seen = 0;
  ASSERT_TRUE(reader
                  .Drain([&](const RecordHeader& header, std::string_view bytes) {
                    ++seen;
                    EXPECT_EQ(header.bytes, 4u);
                    EXPECT_EQ(header.kind, RecordKind::kStderr);
                    EXPECT_EQ(header.ticket, 5u);
                    EXPECT_EQ(header.item, 6u);
                    EXPECT_EQ(header.encoding, 3u);
                    EXPECT_EQ(header.elapsed_ns, 77u);
                  })
                  .ok());
  EXPECT_EQ(seen, 1);
}

std::vector<RecordHeader> HeadersOf(RingReader* reader) {
  std::vector<RecordHeader> headers;
  const absl::Status drained =
      reader->Drain([&](const RecordHeader& header, std::string_view) { headers.push_back(header); });
  EXPECT_TRUE(drained.ok()) << drained;
  return headers;
}

TEST(OutcomeRingTest, NeighbouringItemsTakeLittleRoomAndComeAsTheyWent) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  const auto item = [](std::uint32_t index, std::uint64_t elapsed) {
    return RecordHeader{.kind = RecordKind::kResult, .ticket = 7, .item = index, .encoding = 1, .elapsed_ns = elapsed};
  };
  std::vector<RecordHeader> sent = {item(3, 50), item(4, 65'535), item(5, 65'536), item(6, 0)};
  for (const RecordHeader& header : sent) writer.Append(header, "12345678", NoBell);
  EXPECT_EQ(writer.unread().bytes, 2 * (sizeof(RecordHeader) + 8) + 2 * (sizeof(NextHeader) + 8));
  // None of these is the next item of the one before.
  for (const RecordHeader& header :
       {item(8, 1), RecordHeader{.kind = RecordKind::kResult, .ticket = 8, .item = 9, .encoding = 1},
        RecordHeader{.kind = RecordKind::kResult, .ticket = 8, .item = 10, .encoding = 2},
        RecordHeader{.kind = RecordKind::kFailure, .ticket = 8, .item = 11, .encoding = 2},
        RecordHeader{.kind = RecordKind::kResult, .ticket = 8, .item = 12, .encoding = 2}}) {
    writer.Append(header, "12345678", NoBell);
    sent.push_back(header);
  }
  const std::vector<RecordHeader> headers = HeadersOf(&reader);
  ASSERT_EQ(headers.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(headers[i].kind, sent[i].kind) << i;
    EXPECT_EQ(headers[i].ticket, sent[i].ticket) << i;
    EXPECT_EQ(headers[i].item, sent[i].item) << i;
    EXPECT_EQ(headers[i].encoding, sent[i].encoding) << i;
    EXPECT_EQ(headers[i].elapsed_ns, sent[i].elapsed_ns) << i;
    EXPECT_EQ(headers[i].flags, 0) << i;
  }
}

TEST(OutcomeRingTest, NeighboursWrapAroundToo) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  std::mt19937 random(4);
  std::uint32_t read = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::string text(random() % 40, 'n');
    writer.Append({.kind = RecordKind::kResult, .ticket = 1, .item = i}, text, NoBell);
    if (random() % 50 != 0) continue;
    for (const RecordHeader& header : HeadersOf(&reader)) ASSERT_EQ(header.item, read++);
    ASSERT_EQ(read, i + 1);
  }
}

struct Item {
  std::uint32_t index;
  std::string result;
  friend bool operator==(const Item&, const Item&) = default;
};

// Everything that is there, runs as their items; how many records came alone is counted.
std::vector<Item> ItemsOf(RingReader* reader, std::uint64_t* elapsed, int* alone) {
  std::vector<Item> items;
  const absl::Status drained = reader->Drain(
      RingReader::Bell::kWanted,
      [&](const RecordHeader& header, std::string_view bytes) {
        ++*alone;
        *elapsed += header.elapsed_ns;
        items.push_back({header.item, std::string(bytes)});
      },
      [&](const ResultRun& run) {
        EXPECT_EQ(run.first.kind, RecordKind::kResult);
        EXPECT_EQ(run.first.ticket, 1u);
        EXPECT_EQ(run.first.encoding, 2u);
        EXPECT_EQ(run.first.bytes, run.bytes[0]);
        EXPECT_EQ(run.largest, *std::max_element(run.bytes, run.bytes + run.items));
        *elapsed += run.elapsed_ns;
        std::string_view results = run.results();
        for (std::uint32_t i = 0; i < run.items; ++i) {
          items.push_back({run.first.item + i, std::string(results.substr(0, run.bytes[i]))});
          results.remove_prefix(run.bytes[i]);
        }
        EXPECT_EQ(results, "");
      });
  EXPECT_TRUE(drained.ok()) << drained;
  return items;
}

TEST(OutcomeRingTest, ShortNeighboursComeAsRuns) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  std::vector<Item> sent;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    // One of them is too long for a run, and ends it.
    sent.push_back({i, std::string(i == 500 ? ResultRun::kMostBytes + 1 : i % 20, static_cast<char>('a' + i % 26))});
    writer.Append({.kind = RecordKind::kResult, .ticket = 1, .item = i, .encoding = 2, .elapsed_ns = i},
                  sent.back().result, NoBell);
  }
  std::uint64_t elapsed = 0;
  int alone = 0;
  EXPECT_EQ(ItemsOf(&reader, &elapsed, &alone), sent);
  EXPECT_EQ(elapsed, 1000u * 999 / 2);
  EXPECT_EQ(alone, 2);
}

TEST(OutcomeRingTest, RunsWrapAroundAndTheQuickWayWritesWhatTheOtherDoes) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  std::mt19937 random(6);
  std::vector<Item> sent;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    sent.push_back({i, std::string(random() % 40, static_cast<char>('a' + i % 26))});
    const std::string& result = sent.back().result;
    if (random() % 2 == 0 || !writer.AppendNext(1, i, 2, 7, result)) {
      writer.Append({.kind = RecordKind::kResult, .ticket = 1, .item = i, .encoding = 2, .elapsed_ns = 7}, result,
                    NoBell);
    }
    if (random() % 500 != 0) continue;
    std::uint64_t elapsed = 0;
    int alone = 0;
    ASSERT_EQ(ItemsOf(&reader, &elapsed, &alone), sent);
    ASSERT_EQ(elapsed, 7 * sent.size());
    sent.clear();
  }
}

TEST(OutcomeRingTest, TheQuickWayIsOnlyForShortNeighboursAndWhereThereIsRoom) {
  Memory memory;
  RingWriter writer(memory.get());
  EXPECT_FALSE(writer.AppendNext(1, 1, 2, 7, "nothing before it"));
  writer.Append({.kind = RecordKind::kResult, .ticket = 1, .item = 0, .encoding = 2}, "x", NoBell);
  EXPECT_FALSE(writer.AppendNext(2, 1, 2, 7, "of another task"));
  EXPECT_FALSE(writer.AppendNext(1, 2, 2, 7, "not the next"));
  EXPECT_FALSE(writer.AppendNext(1, 1, 3, 7, "of another encoding"));
  EXPECT_FALSE(writer.AppendNext(1, 1, 2, 65'536, "too late"));
  EXPECT_FALSE(writer.AppendNext(1, 1, 2, 7, std::string(ResultRun::kMostBytes + 1, 'x')));
  std::uint32_t item = 1;
  while (writer.AppendNext(1, item, 2, 7, "x")) ++item;
  EXPECT_LT(kRingBytes - writer.unread().bytes, 3 * sizeof(RecordHeader));
  RingReader reader(memory.get());
  std::uint64_t elapsed = 0;
  int alone = 0;
  EXPECT_EQ(ItemsOf(&reader, &elapsed, &alone).size(), item);
}

TEST(OutcomeRingTest, ANeighbourOfNothingIsFound) {
  Memory memory;
  RingReader reader(memory.get());
  const NextHeader header{.bytes = 0, .kind = RecordKind::kNextResult, .elapsed_ns = 0};
  memory.page().written = sizeof header;
  std::memcpy(memory.ring(), &header, sizeof header);
  EXPECT_EQ(reader.Drain([](const RecordHeader&, std::string_view) {}).code(), absl::StatusCode::kDataLoss);
}

TEST(OutcomeRingTest, TheRingWrapsAroundForRecordsOfAllSizes) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text(random() % (i % 10 == 0 ? 40'000 : 100), static_cast<char>('a' + i % 26));
    writer.Append(Header(1), text, NoBell);
    ASSERT_EQ(DrainAll(&reader), std::vector<std::string>{text});
  }
}

TEST(OutcomeRingTest, ALargeRecordComesInFragmentsThroughAFullRing) {
  Memory memory;
  const std::string large(3 * kRingBytes + 5, 'L');
  std::atomic<int> bells = 0;
  std::thread worker([&] {
    RingWriter writer(memory.get());
    writer.Append(Header(1), large, [&] { ++bells; });
    writer.Append(Header(2), "next", [&] { ++bells; });
  });
  RingReader reader(memory.get());
  std::string whole;
  bool over = false;
  while (!over) {
    ASSERT_TRUE(reader
                    .Drain([&](const RecordHeader& header, std::string_view bytes) {
                      EXPECT_LE(bytes.size(), kMaxRecordBytes);
                      if (header.ticket == 1) whole += bytes;
                      over = header.ticket == 2;
                    })
                    .ok());
  }
  worker.join();
  EXPECT_EQ(whole, large);
  EXPECT_GT(bells, 0);
}

TEST(OutcomeRingTest, AWriterThatWaitsForRoomGoesOnWhenThereIsSome) {
  Memory memory;
  std::atomic<std::uint32_t> written = 0;
  constexpr std::uint32_t kRecords = 200'000;
  std::thread worker([&] {
    RingWriter writer(memory.get());
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      writer.Append(Header(i), std::to_string(i), NoBell);
      written = i;
    }
  });
  RingReader reader(memory.get());
  std::uint32_t next = 0;
  while (next < kRecords) {
    ASSERT_TRUE(reader
                    .Drain([&](const RecordHeader& header, std::string_view bytes) {
                      EXPECT_EQ(header.ticket, next);
                      EXPECT_EQ(bytes, std::to_string(next++));
                    })
                    .ok());
  }
  worker.join();
}

TEST(OutcomeRingTest, ABellIsTakenOnceAndOnlyWhenSomethingIsThere) {
  Memory memory;
  RingWriter writer(memory.get());
  RingReader reader(memory.get());
  EXPECT_FALSE(writer.TakeBell());
  writer.Append(Header(1), "x", NoBell);
  EXPECT_TRUE(writer.BellWanted());
  EXPECT_TRUE(writer.TakeBell());
  EXPECT_FALSE(writer.TakeBell());
  DrainAll(&reader);
  EXPECT_FALSE(writer.TakeBell());
  writer.Append(Header(1), "y", NoBell);
  EXPECT_TRUE(writer.TakeBell());
}

TEST(OutcomeRingTest, NoBellIsLostBetweenAWriterAndAReaderThatSleepOnIt) {
  Memory memory;
  std::atomic<int> rung = 0;
  constexpr int kRecords = 20'000;
  std::atomic<int> read = 0;
  std::thread worker([&] {
    RingWriter writer(memory.get());
    for (int i = 0; i < kRecords; ++i) {
      writer.Append(Header(1), "x", NoBell);
      if (writer.TakeBell()) ++rung;
      // Without another record: the reader must hear of this one by bell, or have seen it itself.
      if (i % 16 == 0) {
        while (read < i + 1) std::this_thread::yield();
      }
    }
  });
  RingReader reader(memory.get());
  int heard = 0;
  while (read < kRecords) {
    while (rung == heard && read < kRecords) std::this_thread::yield();
    heard = rung;
    ASSERT_TRUE(reader.Drain([&](const RecordHeader&, std::string_view) { ++read; }).ok());
  }
  worker.join();
}

TEST(OutcomeRingTest, WhatADeadWriterWroteIsReadable) {
  Memory memory;
  const pid_t writer = fork();
  if (writer == 0) {
    RingWriter ring(memory.get());
    for (int i = 0; i < 100; ++i) ring.Append(Header(1), "record " + std::to_string(i), NoBell);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(writer, &status, 0), writer);
  ASSERT_TRUE(WIFSIGNALED(status));
  RingReader reader(memory.get());
  const std::vector<std::string> records = DrainAll(&reader);
  ASSERT_EQ(records.size(), 100u);
  EXPECT_EQ(records[99], "record 99");
}

TEST(OutcomeRingTest, AWriterThatClaimsTooMuchIsFound) {
  Memory memory;
  RingReader reader(memory.get());
  memory.page().written = kRingBytes + 8;
  EXPECT_EQ(reader.Drain([](const RecordHeader&, std::string_view) {}).code(), absl::StatusCode::kDataLoss);
  memory.page().written = sizeof(RecordHeader);
  RecordHeader header = Header(1);
  header.bytes = 0xfffffff0;
  std::memcpy(memory.ring(), &header, sizeof header);
  EXPECT_EQ(reader.Drain([](const RecordHeader&, std::string_view) {}).code(), absl::StatusCode::kDataLoss);
}

TEST(OutcomeRingTest, RandomMemoryNeverHarms) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    Memory memory;
    RingReader reader(memory.get());
    for (int i = 0; i < 4096; ++i) memory.ring()[i] = static_cast<char>(random() % 3 == 0 ? random() : 0);
    for (int turn = 0; turn < 3; ++turn) {
      memory.page().written = random() % 4 == 0 ? random() : memory.page().read + 8 * (random() % 64);
      std::size_t bytes_seen = 0;
      const auto look = [&](std::string_view bytes) {
        for (const char byte : bytes) bytes_seen += static_cast<unsigned char>(byte);
      };
      const auto record = [&](const RecordHeader&, std::string_view bytes) { look(bytes); };
      const auto run = [&](const ResultRun& many) { look(many.results()); };
      (void)(round % 2 == 0 ? reader.Drain(record) : reader.Drain(RingReader::Bell::kWanted, record, run)).ok();
    }
  }
}

}  // namespace
}  // namespace poold::wire
