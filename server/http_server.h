#pragma once
/// The port of a process: health, metrics, and the small PushSource. Every answer is given here; nothing that Poco would
/// answer by itself reaches a client, and ambiguous requests are refused (RFC 9112 section 6.3).
///
///     auto server = *HttpServer::start("127.0.0.1", 0, routes);
///     std::cout << server->port();
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/canonical_json.h"
#include "base/result.h"

namespace porta::server {

/// What the process can answer. Each may be called from several threads; one that is empty answers 404.
struct Routes {
    std::function<bool()> ready;            ///< /readyz: every role works
    std::function<std::string()> metrics;   ///< /metrics: Prometheus text
    std::function<Result<Json>()> account;  ///< /account
    std::function<Result<Json>()> status;   ///< /status
    /// Asked before the body of a push is read. `token` is what the client gave, for the source to compare. Empty: everyone.
    std::function<Result<void>(const std::string& source, const std::string& token)> admit;
    /// POST /sources/ID/records: the body is one object, durable on return; how many raw records it brought (0: known).
    /// Errors as `Errc`, answered by httpStatus.
    std::function<Result<std::int64_t>(const std::string& source, std::string body)> push;
    std::uint64_t max_body = 64u << 20;
};

class HttpServer {
public:
    virtual ~HttpServer() = default;
    /// `port` 0: any free one. Errors: misconfigured (the port is taken).
    static Result<std::unique_ptr<HttpServer>> start(const std::string& host, int port, Routes routes);
    /// The same on a socket in the file system, for this user alone.
    static Result<std::unique_ptr<HttpServer>> startLocal(const std::string& path, Routes routes);
    virtual int port() const = 0;
};

/// POSTs a body to a socket that startLocal made. Shape: the answer's body.
/// Errors: unavailable (nobody listens there), else what the server answered.
Result<std::string> postLocal(const std::string& path, const std::string& target, const std::string& body);

}  // namespace porta::server
