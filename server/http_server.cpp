#include "server/http_server.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

namespace porta::server {

namespace net = Poco::Net;
using Status = net::HTTPResponse::HTTPStatus;

namespace {

/// A pool of this size, since every open connection takes a thread.
constexpr int kThreads = 64;
constexpr std::size_t kDiscard = 1u << 20;

void answer(net::HTTPServerResponse& response, int status, const std::string& type, const std::string& body) {
    response.setStatusAndReason(static_cast<Status>(status));
    response.setContentType(type);
    if (status == 503) response.set("Retry-After", "1");
    if (status >= 400) response.setKeepAlive(false);
    response.sendBuffer(body.data(), body.size());
}

void answer(net::HTTPServerResponse& response, const Error& error) {
    Json j = Json::object();
    j["code"] = name(error.code);
    j["message"] = error.message;
    answer(response, httpStatus(error.code), "application/json", print(j) + "\n");
}

/// Framing that two readers could understand differently is not guessed at.
bool ambiguous(const net::HTTPServerRequest& request) {
    int lengths = 0, hosts = 0;
    bool digits = true;
    for (const auto& [name, value] : request) {
        if (Poco::icompare(name, "Content-Length") == 0) {
            ++lengths;
            digits = digits && !value.empty() && value.size() < 16 &&
                     value.find_first_not_of("0123456789") == std::string::npos;
        }
        if (Poco::icompare(name, "Host") == 0) ++hosts;
    }
    bool coded = request.has("Transfer-Encoding");
    return !digits || lengths > 1 || (coded && lengths) || hosts > 1 ||
           (hosts == 0 && request.getVersion() == net::HTTPMessage::HTTP_1_1);
}

class Handler : public net::HTTPRequestHandler {
public:
    explicit Handler(const Routes& routes) : routes_(routes) {}

    void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
        try {
            route(request, response);
        } catch (...) {
            // The connection is gone, or the handler is at fault: what was thrown may quote data and is not passed on.
            try {
                if (!response.sent()) answer(response, 500, "text/plain", "internal\n");
            } catch (...) {}
        }
    }

private:
    const Routes& routes_;

    void route(net::HTTPServerRequest& request, net::HTTPServerResponse& response) {
        if (ambiguous(request)) return answer(response, 400, "text/plain", "ambiguous length or host\n");
        const std::string target = request.getURI().substr(0, request.getURI().find('?'));
        if (auto read = readable(target)) {
            if (request.getMethod() == "GET" || request.getMethod() == "HEAD") return read(response);
            return notAllowed(response, "GET, HEAD");
        }
        const std::string from = "/sources/", to = "/records";
        if (target.rfind(from, 0) == 0 && target.ends_with(to) && target.size() > from.size() + to.size() &&
            routes_.push) {
            if (request.getMethod() != "POST") return notAllowed(response, "POST");
            return push(target.substr(from.size(), target.size() - from.size() - to.size()), request, response);
        }
        answer(response, 404, "text/plain", "no such resource\n");
    }

    /// What GET on this target gives; empty where there is nothing.
    std::function<void(net::HTTPServerResponse&)> readable(const std::string& target) {
        if (target == "/livez")
            return [](net::HTTPServerResponse& response) { answer(response, 200, "text/plain", "live\n"); };
        if (target == "/readyz")
            return [this](net::HTTPServerResponse& response) {
                bool ready = !routes_.ready || routes_.ready();
                answer(response, ready ? 200 : 503, "text/plain", ready ? "ready\n" : "not ready\n");
            };
        if (target == "/metrics" && routes_.metrics)
            return [this](net::HTTPServerResponse& response) {
                answer(response, 200, "text/plain; version=0.0.4", routes_.metrics());
            };
        for (const auto& [path, ask] : {std::pair{"/account", &routes_.account}, std::pair{"/status", &routes_.status}})
            if (target == path && *ask)
                return [ask = ask](net::HTTPServerResponse& response) {
                    auto json = (*ask)();
                    json ? answer(response, 200, "application/json", print(*json) + "\n")
                         : answer(response, json.error());
                };
        return {};
    }

    static void notAllowed(net::HTTPServerResponse& response, const std::string& methods) {
        response.set("Allow", methods);
        answer(response, 405, "text/plain", "the methods are " + methods + "\n");
    }

    /// A connection that closes with bytes unread is reset, and the client may never see why: a short body is read.
    static void discard(net::HTTPServerRequest& request) {
        char part[16384];
        std::istream& in = request.stream();
        for (std::size_t n = 0; n < kDiscard && (in.read(part, sizeof part), in.gcount() > 0);)
            n += static_cast<std::size_t>(in.gcount());
    }

    void push(const std::string& source, net::HTTPServerRequest& request, net::HTTPServerResponse& response) {
        std::string token = request.get("Authorization", "");
        token = token.rfind("Bearer ", 0) == 0 ? token.substr(7) : "";
        // Before a byte of the body: strangers may not fill the memory.
        if (auto r = routes_.push->admit(source, token); !r) {
            discard(request);
            return answer(response, r.error());
        }
        // Poco does not tell a chunked body that broke off from one that ended: half an object would be taken for a whole.
        if (request.getContentLength64() == net::HTTPMessage::UNKNOWN_CONTENT_LENGTH) {
            if (request.getChunkedTransferEncoding()) discard(request);
            return answer(response, 411, "text/plain", "give a Content-Length\n");
        }
        const auto length = static_cast<std::uint64_t>(request.getContentLength64());
        if (length > routes_.max_body) {
            discard(request);
            return answer(response, 413, "text/plain", "the object is too large\n");
        }
        std::string body;
        char part[16384];
        std::istream& in = request.stream();
        while (in.read(part, sizeof part), in.gcount() > 0) body.append(part, static_cast<std::size_t>(in.gcount()));
        if (body.size() != length) return answer(response, 400, "text/plain", "the body is shorter than its length\n");
        connectors::Reply reply = routes_.push->push(source, std::move(body));
        switch (reply.kind) {
            case connectors::Reply::Kind::refused: return answer(response, reply.error);
            case connectors::Reply::Kind::busy:
                return answer(response, fail(Errc::unavailable, "busy; try again in a moment", "push.busy"));
            case connectors::Reply::Kind::durable: break;
        }
        Json j = Json::object();
        j["durable"] = true;
        j["raw_records"] = reply.raw_records;
        answer(response, 202, "application/json", print(j) + "\n");
    }
};

class Factory : public net::HTTPRequestHandlerFactory {
public:
    explicit Factory(Routes routes) : routes_(std::move(routes)) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new Handler(routes_);
    }

private:
    Routes routes_;
};

class PocoServer : public HttpServer {
public:
    PocoServer(const net::ServerSocket& socket, Routes routes, std::string path)
        : pool_(2, kThreads), path_(std::move(path)), port_(path_.empty() ? socket.address().port() : 0) {
        net::HTTPServerParams::Ptr parameters(new net::HTTPServerParams);
        parameters->setMaxThreads(kThreads);
        parameters->setMaxQueued(kThreads);
        parameters->setKeepAliveTimeout(Poco::Timespan(2, 0));
        parameters->setTimeout(Poco::Timespan(10, 0));
        server_ = std::make_unique<net::HTTPServer>(new Factory(std::move(routes)), pool_, socket, parameters);
        server_->start();
    }
    ~PocoServer() override {
        server_->stopAll(true);
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    int port() const override { return port_; }

private:
    Poco::ThreadPool pool_;
    std::string path_;
    int port_;
    std::unique_ptr<net::HTTPServer> server_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& host, int port, Routes routes) {
    try {
        net::ServerSocket socket(net::SocketAddress(host, static_cast<Poco::UInt16>(port)));
        return std::unique_ptr<HttpServer>(std::make_unique<PocoServer>(socket, std::move(routes), ""));
    } catch (const Poco::Exception&) {
        return fail(
            Errc::misconfigured,
            "port " + std::to_string(port) + " of " + host + " cannot be listened on; give another server.port, or 0",
            "server.port");
    }
}

Result<std::unique_ptr<HttpServer>> HttpServer::startLocal(const std::string& path, Routes routes) {
    try {
        ::unlink(path.c_str());
        mode_t before = ::umask(0177);
        net::ServerSocket socket;
        socket.bind(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path));
        ::umask(before);
        socket.listen(64);
        return std::unique_ptr<HttpServer>(std::make_unique<PocoServer>(socket, std::move(routes), path));
    } catch (const Poco::Exception&) {
        return fail(
            Errc::misconfigured,
            path + ": no socket can be made there; the path may be longer than 107 bytes, give a shorter --state",
            "state.socket");
    }
}

Result<std::string> postLocal(const std::string& path, const std::string& target, const std::string& body) {
    try {
        net::StreamSocket socket;
        socket.connect(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path));
        net::HTTPClientSession session(socket);
        session.setTimeout(Poco::Timespan(120, 0));
        net::HTTPRequest request("POST", target, net::HTTPMessage::HTTP_1_1);
        request.setHost("localhost");
        request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        session.sendRequest(request) << body << std::flush;
        net::HTTPResponse response;
        std::ostringstream text;
        text << session.receiveResponse(response).rdbuf();
        if (response.getStatus() < 300) return text.str();
        auto json = parseJson(text.str());
        return fail(response.getStatus() == 503 ? Errc::unavailable : Errc::malformed,
                    json ? json->text("message") : "the running process refused it", "owner.refused");
    } catch (const Poco::Exception&) {
        return fail(Errc::unavailable, "nobody listens on the owner's socket", "owner.absent");
    }
}

}  // namespace porta::server
