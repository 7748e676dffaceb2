#pragma once
/// Objects that senders bring: over HTTP, each with its source's token, and what people enter, over a socket of the user's
/// own. One object is delivered at a time; a crowd is told `busy` and comes again, so that nobody waits without an end.
///
///     Queue queue;
///     Door http({{"referrals", "/etc/porta/referrals.token"}}, queue, deliver);
///     if (http.admit("referrals", token)) reply = http.push("referrals", body);
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "connectors/source.h"

namespace porta::connectors {

/// Shared by the doors of a process, since what is behind them takes one caller.
/// Threads: any.
class Queue {
public:
    explicit Queue(int longest = 32) : longest_(longest) {}
    /// `work` in turn, or `busy` at once when as many wait already as may.
    Reply inTurn(const std::function<Reply()>& work);

private:
    const int longest_;
    int waiting_ = 0;
    std::mutex counter_, turn_;
};

class Door : public PushSource {
public:
    /// Durable on return; how many raw records the object brought.
    using Deliver = std::function<Result<std::int64_t>(const std::string& source, std::string bytes)>;
    /// Source id → the file whose first line is its token; nothing: whoever reaches this door may push.
    using Sources = std::map<std::string, std::optional<std::string>>;

    /// `queue` must outlive the door.
    Door(Sources sources, Queue& queue, Deliver deliver)
        : sources_(std::move(sources)), queue_(queue), deliver_(std::move(deliver)) {}

    /// The token file is read each time, so that a token can be changed while the process runs.
    Result<void> admit(const std::string& source, const std::string& token) const override;
    /// Refused: not_found (no such source here), and what delivery answers.
    Reply push(const std::string& source, std::string bytes) override;

private:
    Sources sources_;
    Queue& queue_;
    Deliver deliver_;
};

}  // namespace porta::connectors
