// Messages between coordinator and workers, as the bytes may really arrive.
#include "pipeline/channel.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "protocol.pb.h"

namespace touchstone {
namespace {

/// A channel, and the bare other end of its socket.
class Pair : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    channel_.emplace(ends[0]);
    raw_ = ends[1];
  }
  void TearDown() override { close_raw(); }
  void close_raw() {
    if (raw_ >= 0) close(raw_);
    raw_ = -1;
  }
  void put(std::string_view bytes) {
    ASSERT_EQ(write(raw_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  std::optional<Channel> channel_;
  int raw_ = -1;
};

wire::Unit unit(std::uint64_t id) {
  wire::Unit message;
  message.set_id(id);
  message.set_kind(wire::UNIT_ITEM);
  message.mutable_place()->set_locator("ABC/1:p0/a;7");
  return message;
}

/// Four bytes of length, little-endian, then the message.
std::string framed(const std::string& body, std::uint32_t length) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>((length >> (8 * i)) & 0xFF);
  return out + body;
}
std::string framed(const std::string& body) {
  return framed(body, static_cast<std::uint32_t>(body.size()));
}

using Channels = Pair;

TEST_F(Channels, SendWritesTheLengthThenTheMessage) {
  ASSERT_TRUE(channel_->send(unit(5)));
  const std::string wanted = framed(unit(5).SerializeAsString());
  std::string got(wanted.size(), '\0');
  ASSERT_EQ(recv(raw_, got.data(), got.size(), MSG_WAITALL), static_cast<ssize_t>(got.size()));
  EXPECT_EQ(got, wanted);
}

TEST_F(Channels, MessagesComeOneByOneHoweverTheBytesAreCut) {
  const std::string bytes = framed(unit(1).SerializeAsString()) + framed(unit(2).SerializeAsString()) +
                            framed(unit(3).SerializeAsString());
  std::vector<std::uint64_t> seen;
  wire::Unit message;
  for (const char byte : bytes) {
    put({&byte, 1});
    ASSERT_TRUE(channel_->fill());
    while (channel_->next(message) == Channel::Next::message) seen.push_back(message.id());
  }
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(channel_->next(message), Channel::Next::none);
}

TEST_F(Channels, SeveralMessagesInOneReadAreAllThere) {
  put(framed(unit(1).SerializeAsString()) + framed("") + framed(unit(2).SerializeAsString()).substr(0, 6));
  ASSERT_TRUE(channel_->fill());
  wire::Unit message;
  EXPECT_EQ(channel_->next(message), Channel::Next::message);
  EXPECT_EQ(message.id(), 1U);
  EXPECT_EQ(channel_->next(message), Channel::Next::message);
  EXPECT_EQ(message.id(), 0U);  // an empty message is one
  EXPECT_EQ(channel_->next(message), Channel::Next::none);
}

TEST_F(Channels, ALengthBeyondTheLimitIsRefusedBeforeAnythingIsHeld) {
  put(framed("", Channel::kMaxMessage + 1) + "some bytes");
  ASSERT_TRUE(channel_->fill());
  wire::Unit message;
  EXPECT_EQ(channel_->next(message), Channel::Next::broken);
  EXPECT_FALSE(channel_->receive(message));
}

TEST_F(Channels, GarbageIsNoMessage) {
  put(framed(std::string(20, '\xFF')));
  wire::Unit message;
  EXPECT_FALSE(channel_->receive(message));
}

TEST_F(Channels, AnEndInTheMiddleOfAMessageIsNoMessage) {
  put(framed(unit(1).SerializeAsString()).substr(0, 7));
  close_raw();
  wire::Unit message;
  EXPECT_FALSE(channel_->receive(message));
}

TEST_F(Channels, FillTellsWhenTheOtherSideIsGone) {
  EXPECT_TRUE(channel_->fill());  // nothing there, but somebody may still speak
  close_raw();
  EXPECT_FALSE(channel_->fill());
  EXPECT_FALSE(channel_->send(unit(1)));  // and no SIGPIPE
}

TEST_F(Channels, ALargeMessageGoesThroughWholeInManyReads) {
  wire::Unit large = unit(9);
  large.mutable_place()->set_path(std::string(5 << 20, 'x'));
  const std::string bytes = framed(large.SerializeAsString());
  std::thread sender([&] {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t wrote =
          write(raw_, bytes.data() + done, std::min<std::size_t>(bytes.size() - done, 100'000));
      if (wrote <= 0) return;
      done += static_cast<std::size_t>(wrote);
    }
  });
  wire::Unit message;
  ASSERT_TRUE(channel_->receive(message));
  sender.join();
  EXPECT_EQ(message.SerializeAsString(), large.SerializeAsString());
}

}  // namespace
}  // namespace touchstone
