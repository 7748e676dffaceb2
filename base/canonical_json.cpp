#include "base/canonical_json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace porta {

namespace {

constexpr std::size_t kMaxDepth = 200;

/// UTF-16 code unit order (RFC 8785, 3.2.3): differs from byte order only between U+E000..U+FFFF and the supplementary
/// planes, whose surrogates sort below.
bool lessUtf16(const std::string& a, const std::string& b) {
    std::size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    if (i == a.size() || i == b.size()) return a.size() < b.size();
    auto lead = [](char c) { return static_cast<unsigned char>(c); };
    bool high_a = lead(a[i]) >= 0xF0, high_b = lead(b[i]) >= 0xF0;
    if (high_a != high_b) {
        unsigned char other = high_a ? lead(b[i]) : lead(a[i]);
        if (other >= 0xEE && other < 0xF0) return high_a;
    }
    return lead(a[i]) < lead(b[i]);
}

void write(std::string& out, const Json& v, bool sorted) {
    switch (v.kind()) {
        case Json::Kind::null: out += "null"; return;
        case Json::Kind::boolean: out += v.boolean() ? "true" : "false"; return;
        case Json::Kind::integer: out += std::to_string(v.integer()); return;
        case Json::Kind::string: quote(out, v.string()); return;
        case Json::Kind::array:
            out += '[';
            for (std::size_t i = 0; i < v.size(); ++i) {
                if (i) out += ',';
                write(out, v.items()[i], sorted);
            }
            out += ']';
            return;
        case Json::Kind::object: {
            std::vector<std::size_t> order(v.size());
            for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
            if (sorted)
                std::sort(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return lessUtf16(v.keys()[a], v.keys()[b]); });
            out += '{';
            for (std::size_t i = 0; i < order.size(); ++i) {
                if (i) out += ',';
                quote(out, v.keys()[order[i]]);
                out += ':';
                write(out, v.items()[order[i]], sorted);
            }
            out += '}';
            return;
        }
    }
}

/// SAX events to our tree; refuses what the reader lets pass.
struct Handler {
    std::vector<Json> stack;
    std::vector<std::string> names;
    Json root;
    const char* refusal = nullptr;

    bool put(Json value) {
        if (stack.empty()) root = std::move(value);
        else if (stack.back().isArray()) stack.back().push(std::move(value));
        else {
            stack.back()[names.back()] = std::move(value);
            names.pop_back();
        }
        return true;
    }
    bool open(Json value) {
        if (stack.size() >= kMaxDepth) {
            refusal = "nested deeper than 200";
            return false;
        }
        stack.push_back(std::move(value));
        return true;
    }
    bool close() {
        Json value = std::move(stack.back());
        stack.pop_back();
        return put(std::move(value));
    }
    bool Null() { return put(Json()); }
    bool Bool(bool b) { return put(Json(b)); }
    bool Int(int i) { return put(Json(std::int64_t{i})); }
    bool Uint(unsigned u) { return put(Json(std::int64_t{u})); }
    bool Int64(std::int64_t i) { return put(Json(i)); }
    bool Uint64(std::uint64_t u) { return put(Json(std::to_string(u))); }
    bool Double(double) { return false; }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
        std::int64_t value = 0;
        auto end = text + length;
        auto r = std::from_chars(text, end, value);
        if (r.ec == std::errc() && r.ptr == end) return put(Json(value));
        return put(Json(std::string(text, length)));
    }
    bool String(const char* text, rapidjson::SizeType length, bool) { return put(Json(std::string(text, length))); }
    bool StartObject() { return open(Json::object()); }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        std::string key(text, length);
        if (stack.back().find(key)) {
            refusal = "a member stands twice";
            return false;
        }
        names.push_back(std::move(key));
        return true;
    }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool StartArray() { return open(Json::array()); }
    bool EndArray(rapidjson::SizeType) { return close(); }
};

}  // namespace

Json& Json::operator[](std::string_view key) {
    if (kind_ == Kind::null) kind_ = Kind::object;
    for (std::size_t i = 0; i < keys_.size(); ++i)
        if (keys_[i] == key) return items_[i];
    keys_.emplace_back(key);
    items_.emplace_back();
    return items_.back();
}

const Json* Json::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys_.size(); ++i)
        if (keys_[i] == key) return &items_[i];
    return nullptr;
}

std::string Json::text(std::string_view key) const {
    const Json* j = find(key);
    return j && j->isString() ? j->string() : std::string();
}

bool operator==(const Json& a, const Json& b) { return canonical(a) == canonical(b); }

namespace {

/// Whether one of eight bytes is below 0x20, a quote or a backslash; true at times where none is.
bool mayEscape(std::uint64_t v) {
    constexpr std::uint64_t kOnes = 0x0101010101010101u, kHigh = 0x80 * kOnes;
    const std::uint64_t quotes = v ^ ('"' * kOnes), slashes = v ^ ('\\' * kOnes);
    return (((v - 0x20 * kOnes) & ~v) | ((quotes - kOnes) & ~quotes) | ((slashes - kOnes) & ~slashes)) & kHigh;
}

char* escapeEach(char* out, const char* at, const char* end) {
    static const char digits[] = "0123456789abcdef";
    for (; at != end; ++at) {
        const char c = *at;
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
            *out++ = c;
            continue;
        }
        *out++ = '\\';
        switch (c) {
            case '\b': *out++ = 'b'; break;
            case '\f': *out++ = 'f'; break;
            case '\n': *out++ = 'n'; break;
            case '\r': *out++ = 'r'; break;
            case '\t': *out++ = 't'; break;
            case '"':
            case '\\': *out++ = c; break;
            default:
                for (char next : {'u', '0', '0', digits[c >> 4], digits[c & 15]}) *out++ = next;
        }
    }
    return out;
}

}  // namespace

char* escape(char* out, std::string_view text) {
    // Eight bytes at once, as long as none of them is escaped; the last ones together with those before them.
    const char *at = text.data(), *const end = at + text.size();
    std::uint64_t word;
    for (; end - at >= 8; at += 8, out += 8) {
        std::memcpy(&word, at, 8);
        if (mayEscape(word)) return escapeEach(out, at, end);
        std::memcpy(out, &word, 8);
    }
    if (text.size() < 8) return escapeEach(out, at, end);
    std::memcpy(&word, end - 8, 8);
    if (mayEscape(word)) return escapeEach(out, at, end);
    out += end - at;
    std::memcpy(out - 8, &word, 8);
    return out;
}

void escape(std::string& out, std::string_view text) {
    constexpr std::size_t kStretch = 128;
    char room[6 * kStretch];
    while (!text.empty()) {
        const std::string_view next = text.substr(0, kStretch);
        out.append(room, escape(room, next));
        text.remove_prefix(next.size());
    }
}

void quote(std::string& out, std::string_view text) {
    out += '"';
    escape(out, text);
    out += '"';
}

std::string canonical(const Json& value) {
    std::string out;
    write(out, value, true);
    return out;
}

std::string print(const Json& value) {
    std::string out;
    write(out, value, false);
    return out;
}

Result<Json> parseJson(std::string_view text) {
    Handler handler;
    rapidjson::Reader reader;
    rapidjson::MemoryStream stream(text.data(), text.size());
    constexpr unsigned flags =
        rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
    rapidjson::ParseResult result = reader.Parse<flags>(stream, handler);
    // The reader takes a zero byte for the end of the text.
    if (!result.IsError() && stream.Tell() < text.size())
        return fail(Errc::malformed, "a zero byte stands after the value", "json", stream.Tell());
    if (result.IsError())
        return fail(Errc::malformed, handler.refusal ? handler.refusal : rapidjson::GetParseError_En(result.Code()),
                    "json", result.Offset());
    return std::move(handler.root);
}

}  // namespace porta
