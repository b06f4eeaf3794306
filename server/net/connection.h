// server/net/connection.h - one client: bytes from its transport to its handler, replies back.
//
// The connection knows nothing of what the bytes mean, only how much is wanted and what waits.
// Five facts make its state; Settle() derives from them what to watch the socket for:
//
//     resuming   the handler can go on without new input, and is in line to be called (kYield, or
//                kBlocked whose replies were taken). Nothing is received meanwhile.
//     blocked    the handler goes on when the peer has taken all replies (kBlocked)
//     awaiting   the handler goes on when its Waker is used (kAwait). Nothing is received, replies
//                are sent, and the peer's end is watched for: see kAwaitEvents
//     paused     more than kPendingBytesMax of replies wait: nothing is received until the peer has
//                taken them all, so a client that never reads costs no more. All, and not most:
//                the socket's own buffer is still full then, so the peer never waits for us
//     closing    the peer sends no more, or the handler is done: close when all replies are sent
//
// One readable event costs one receive and one send. A receive that filled its buffer is not
// repeated: epoll reports the socket again, after the others had their turn. Between the two, small
// input waits for other connections' receives: look_ahead.h.
//
// Owner    its worker owns it; it owns transport, handler, held input and reply backlog.
// Threads  its worker's thread.
// Errors   a call that returns kClosed is the last: the worker then destroys the connection.
// Not here where events are dispatched: worker.h; what bounds a connection: connection_host.h
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "server/net/connection_facts.h"
#include "server/net/connection_host.h"
#include "server/net/connection_observer.h"
#include "server/net/stream_handler.h"
#include "server/net/transport.h"

namespace larder::server {

class Connection final : public ConnectionLink {
 public:
  static constexpr size_t kPendingBytesMax = 256 * 1024;

  enum class State : uint8_t { kOpen, kClosed };

  // REQUIRES: the host outlives the connection.
  Connection(ConnectionHost& host, std::unique_ptr<Transport> transport, Binding protocols,
             WorkerService& service);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Begins to watch the socket. kClosed: the system would not let us.
  [[nodiscard]] State Start(event_base* base);
  // The socket is ready for `what`, EV_READ and EV_WRITE.
  [[nodiscard]] State OnEvent(short what);
  // Handles what OnEvent has received and left with the host's LookAhead.
  [[nodiscard]] State HandleReceived(std::string_view input);
  // The turn in line that ResumeSoon asked for.
  [[nodiscard]] State Resume();
  // Its Waker was used.
  void OnWake();

  // Whether it is idle or stalled for too long: kClosed. Otherwise, when it may be: *due_s.
  [[nodiscard]] State Inspect(std::optional<uint32_t>* due_s);
  // Why a call returned kClosed.
  [[nodiscard]] CloseReason Reason() const { return close_reason_; }
  [[nodiscard]] ConnectionFacts Describe() const;
  [[nodiscard]] RemoteEnd Remote() const;

  [[nodiscard]] ConnectionHost& Host() { return host_; }
  [[nodiscard]] std::shared_ptr<Waker> GetWaker() override;
  [[nodiscard]] int Fd() const override { return transport_->Fd(); }
  [[nodiscard]] Binding Protocols() const override { return protocols_; }

  // Its place in the worker's table, which is the worker's to know and to change.
  [[nodiscard]] uint32_t Slot() const { return slot_; }
  void SetSlot(size_t slot) { slot_ = static_cast<uint32_t>(slot); }

 private:
  struct Await;

  State Receive();
  State ReceiveDirect(std::span<char> direct);
  // Counts what was received. False: there is nothing to handle; `*state` says how it goes on.
  bool Accept(const IoResult& received, State* state);
  State Handle(std::string_view input);
  State Conclude(const StreamStep& step, std::string_view rest);
  State RefuseInput(StreamStep::Next next);
  State Yield();
  void GetInLine();
  State MeetPeersEnd();
  State Flush();
  State Settle();
  State Watch(short events);
  State Close(CloseReason reason);
  void NoteProgress(size_t sent_bytes);
  [[nodiscard]] std::optional<uint32_t> IdleAt() const;
  [[nodiscard]] std::optional<uint32_t> StalledAt() const;
  [[nodiscard]] ConnectionFacts::State Activity() const;
  [[nodiscard]] size_t PendingBytes() const {
    return backlog_ == nullptr ? 0 : backlog_->PendingBytes();
  }

  ConnectionHost& host_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<StreamHandler> handler_;
  std::unique_ptr<ReplyBacklog> backlog_;  // null: no reply waits
  std::unique_ptr<Await> await_;           // null: nobody has asked for the Waker yet
  HeldInput held_;
  event event_;
  // Packed, because thousands of idle connections are the usual case.
  uint32_t slot_ = 0;
  uint32_t last_request_s_;  // when the handler last took something
  short watched_events_ = 0;
  Binding protocols_ : 2;
  CloseReason close_reason_ : 2 = CloseReason::kNormal;
  bool is_resuming_ : 1 = false;
  bool is_blocked_ : 1 = false;
  bool is_awaiting_ : 1 = false;
  bool is_paused_ : 1 = false;
  bool is_closing_ : 1 = false;
};
static_assert(sizeof(Connection) <= 200, "an idle connection must cost little");

}  // namespace larder::server
