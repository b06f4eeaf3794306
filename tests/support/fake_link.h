// tests/support/fake_link.h - the connection of a handler that is tested without one.
#pragma once

#include <atomic>
#include <memory>

#include "server/net/stream_handler.h"

namespace larder::server {

class FakeLink final : public ConnectionLink {
 public:
  // Counts, and lets a test wait for, the calls that a connection would answer with a turn.
  class CountingWaker final : public Waker {
   public:
    void Wake() override { wake_count.fetch_add(1); }
    std::atomic<int> wake_count{0};
  };

  [[nodiscard]] std::shared_ptr<Waker> GetWaker() override { return waker; }
  [[nodiscard]] int Fd() const override { return fd; }
  [[nodiscard]] Binding Protocols() const override { return protocols; }
  [[nodiscard]] bool IsDatagram() const override { return is_datagram; }

  std::shared_ptr<CountingWaker> waker = std::make_shared<CountingWaker>();
  int fd = 26;
  Binding protocols = Binding::kAuto;
  bool is_datagram = false;
};

}  // namespace larder::server
