#pragma once
/// The port of a process: health, metrics, and records that are pushed. Every answer is given here; nothing that Poco would
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
#include "connectors/source.h"

namespace porta::server {

/// What the process can answer. Each may be called from several threads; one that is empty answers 404.
struct Routes {
    std::function<bool()> ready;            ///< /readyz: every role works
    std::function<std::string()> metrics;   ///< /metrics: Prometheus text
    std::function<Result<Json>()> account;  ///< /account
    std::function<Result<Json>()> status;   ///< /status
    /// POST /sources/ID/records: the body is one object; `Authorization: Bearer` gives the token. Admission is asked before the
    /// body is read. Durable is answered 202, refused by its code's status, busy 503 with Retry-After. Borrowed; null: 404.
    connectors::PushSource* push = nullptr;
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
