// server/net/udp_endpoint.h - one UDP socket of one worker: each datagram is a conversation of its
// own, with its own handler, over when its requests are answered.
//
// A sender may be forged, and the answer then hits whom it names. So: garbage is not answered; an
// answer leaves at once or never; what one datagram may draw is bounded (datagram_replies.h). One
// datagram at a time is served, and one with many requests yields to the others of its worker.
//
// As memcached has it: a value that is not whole and a line without an end are dropped; `quit` that
// drew nothing else is told by one empty datagram with a total of 0.
//
// Owner    its worker owns it; it owns the socket.
// Threads  its worker's thread.
// Errors   none: a datagram that cannot be sent is lost, as datagrams are.
// Not here the header: protocol/udp_frame.h; opening the socket: listener.h
#pragma once

#include <event2/event.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/net/connection_facts.h"
#include "server/net/connection_host.h"
#include "server/net/datagram_replies.h"
#include "server/net/event_loop.h"
#include "server/net/listener.h"
#include "server/net/socket_address.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class UdpEndpoint final : public ConnectionLink {
 public:
  // REQUIRES: the host and the service outlive the endpoint.
  UdpEndpoint(ConnectionHost& host, ListenSocket socket, WorkerService& service);
  UdpEndpoint(const UdpEndpoint&) = delete;
  UdpEndpoint& operator=(const UdpEndpoint&) = delete;

  // `on_readable` is called with the endpoint as its argument. False: no more events to be had.
  [[nodiscard]] bool Start(event_base* base, event_callback_fn on_readable);
  // Serves the datagrams that have come, a bounded number of them.
  void Receive();
  // A datagram's requests are not all answered: Resume is to be called, soon.
  [[nodiscard]] bool IsBusy() const { return handler_ != nullptr; }
  void Resume();

  [[nodiscard]] ConnectionFacts Describe() const;
  [[nodiscard]] ConnectionHost& Host() { return host_; }

  // Never the one it was asked for: nothing can be awaited here.
  [[nodiscard]] std::shared_ptr<Waker> GetWaker() override;
  [[nodiscard]] int Fd() const override { return socket_.fd.Get(); }
  [[nodiscard]] Binding Protocols() const override { return socket_.protocols; }
  [[nodiscard]] bool IsDatagram() const override { return true; }

 private:
  void Serve(std::string_view datagram);
  // One go of the handler at `input`.
  void Continue(std::string_view input);
  void Finish();
  void SendAnswers();
  [[nodiscard]] bool SendAnswer(std::string_view answer);
  [[nodiscard]] bool Send(const char* header, std::string_view payload);

  ConnectionHost& host_;
  const ListenSocket socket_;
  WorkerService& service_;
  EventPtr event_;
  DatagramReplies replies_;
  uint32_t last_request_s_;

  // The datagram that is served.
  std::unique_ptr<StreamHandler> handler_;  // null: none
  SocketAddress peer_;
  uint16_t request_id_ = 0;
  size_t sent_datagram_count_ = 0;
  bool is_exhausted_ = false;  // nothing more is sent for it
  std::string rest_;           // of its requests, when they take more than one go
};

}  // namespace larder::server
