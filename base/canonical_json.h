#pragma once
/// Canonical JSON (RFC 8785): keys sorted by UTF-16 code units, shortest escapes, no white space. Porta's records hold
/// strings, booleans and integers only; decimals are strings.
///
///     Json person = Json::object();
///     person["names"] = Json::array();
///     std::string line = canonical(person);
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace porta {

/// A small JSON value. Object members keep the order of insertion for `print`, and are sorted by `canonical`.
class Json {
public:
    enum class Kind { null, boolean, integer, string, array, object };
    Json() = default;
    Json(std::nullptr_t) {}
    Json(bool b) : kind_(Kind::boolean), integer_(b) {}
    Json(int i) : kind_(Kind::integer), integer_(i) {}
    Json(std::int64_t i) : kind_(Kind::integer), integer_(i) {}
    Json(std::uint64_t i) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(i)) {}
    Json(std::string s) : kind_(Kind::string), string_(std::move(s)) {}
    Json(std::string_view s) : kind_(Kind::string), string_(s) {}
    Json(const char* s) : kind_(Kind::string), string_(s) {}
    static Json array() {
        Json j;
        j.kind_ = Kind::array;
        return j;
    }
    static Json object() {
        Json j;
        j.kind_ = Kind::object;
        return j;
    }

    Kind kind() const { return kind_; }
    bool isNull() const { return kind_ == Kind::null; }
    bool isObject() const { return kind_ == Kind::object; }
    bool isArray() const { return kind_ == Kind::array; }
    bool isString() const { return kind_ == Kind::string; }
    bool boolean() const { return integer_ != 0; }
    std::int64_t integer() const { return integer_; }
    const std::string& string() const { return string_; }
    const std::vector<Json>& items() const { return items_; }
    std::vector<Json>& items() { return items_; }
    const std::vector<std::string>& keys() const { return keys_; }  ///< objects: parallel to items()
    std::size_t size() const { return items_.size(); }
    void push(Json value) { items_.push_back(std::move(value)); }
    /// Objects: the member, made as null when it is missing (and a null turns into an object).
    Json& operator[](std::string_view key);
    /// Objects: the member or null.
    const Json* find(std::string_view key) const;
    /// The member's text, or "" when it is missing or no string.
    std::string text(std::string_view key) const;
    friend bool operator==(const Json& a, const Json& b);

private:
    Kind kind_ = Kind::null;
    std::int64_t integer_ = 0;
    std::string string_;
    std::vector<std::string> keys_;
    std::vector<Json> items_;
};

std::string canonical(const Json& value);  ///< RFC 8785
std::string print(const Json& value);      ///< one line, members in the order of insertion
/// Strict JSON text to Json. Fractions and exponents are kept as strings. Errors: malformed with offset.
Result<Json> parseJson(std::string_view text);
/// Appends `text` as a JSON string literal, quotes included.
void quote(std::string& out, std::string_view text);
/// Appends what stands between the quotes of that literal.
void escape(std::string& out, std::string_view text);
/// The same at `out`, where six bytes for each of the text have room. Gives the end.
char* escape(char* out, std::string_view text);

}  // namespace porta
