#pragma once
/// Failures travel as values (docs/STYLE: a bad record is data, not an accident). `Result<T>` has the member names of
/// `std::expected`, so that it can become an alias once the compilers offer it. The code says what the caller does next.
///
///     Result<int> n = parseNumber("12");
///     if (!n) return n.error();
///     use(*n);
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace porta {

enum class Errc : std::uint8_t {
    malformed,      ///< the bytes break their format: quarantine, go on
    unmapped,       ///< a code or field has no mapping: quarantine, go on
    conflict,       ///< keep both, deterministic winner
    denied,         ///< refuse and audit
    not_found,      ///< tell the caller
    unavailable,    ///< retry with back-off, hold position
    exhausted,      ///< slow the source down
    misconfigured,  ///< refuse to start, name the key
    internal,       ///< our bug: fail the request, keep serving
};

/// The name of a code: metric label, JSON value and manual entry.
std::string_view name(Errc code);
/// The HTTP status and the process exit code of each error code.
int httpStatus(Errc code);
int exitCode(Errc code);

/// Where a file of configuration is wrong and how; the message of the error is made from it.
struct Place {
    std::string file;
    int line = 0, column = 0;  ///< 1-based
    std::string text;
    std::string nearest;  ///< the valid name nearest to what stands there, or ""
};

/// What happened (code, rule), where (offset or place, path) and what to do (message). Never a personal value.
struct Error {
    Errc code = Errc::internal;
    std::string message;
    std::string rule = {};                    ///< short id of the rule that refused, e.g. `csv.quote`
    std::string path = {};                    ///< field path, e.g. `PID.f7`
    std::uint64_t offset = 0;                 ///< byte in the object or raw record
    std::uint64_t length = 0;                 ///< bytes concerned, 0 when only a place is known
    std::shared_ptr<const Place> place = {};  ///< of configuration, or null
};

inline Error fail(Errc code, std::string message, std::string rule = {}, std::uint64_t offset = 0,
                  std::uint64_t length = 0, std::string path = {}) {
    return Error{code, std::move(message), std::move(rule), std::move(path), offset, length};
}

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }
    Error& error() { return std::get<1>(state_); }
    const Error& error() const { return std::get<1>(state_); }
    template <class F>
    auto and_then(F&& f) && -> decltype(f(std::declval<T>())) {
        if (!has_value()) return std::move(error());
        return f(std::move(*this).value());
    }
    template <class F>
    auto transform(F&& f) && -> Result<decltype(f(std::declval<T>()))> {
        if (!has_value()) return std::move(error());
        return f(std::move(*this).value());
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}
    bool has_value() const { return !error_; }
    explicit operator bool() const { return has_value(); }
    Error& error() { return *error_; }
    const Error& error() const { return *error_; }

private:
    std::optional<Error> error_;
};

}  // namespace porta
