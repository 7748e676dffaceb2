#include "formats/format.h"

#include <zlib.h>

#include "formats/charset.h"
#include "formats/readers.h"

namespace porta::formats {

Result<Kind> kindNamed(std::string_view name) {
    if (name == "json") return Kind::json;
    if (name == "ndjson") return Kind::ndjson;
    if (name == "csv") return Kind::csv;
    if (name == "hl7v2") return Kind::hl7v2;
    if (name == "xml") return Kind::xml;
    if (name == "fixed") return Kind::fixed;
    if (name == "edifact") return Kind::edifact;
    return fail(Errc::misconfigured, "unknown format; known: json, ndjson, csv, hl7v2, xml, fixed, edifact",
                "format.kind");
}

Result<void> checkEncoding(const Settings& settings) {
    if (settings.kind == Kind::xml || settings.kind == Kind::edifact) return {};  // they name their own
    auto charset = Charset::named(settings.encoding);
    if (!charset) return charset.error();
    if (charset->isUtf8()) return {};
    if (settings.kind == Kind::json || settings.kind == Kind::ndjson)
        return fail(Errc::misconfigured, "JSON is read as utf-8 only (RFC 8259, 8.1)", "format.encoding");
    if (settings.kind == Kind::csv && charset->wide() != Charset::Wide::no) return {};
    std::string signs = "\r\n";
    if (settings.kind == Kind::csv) signs += std::string("\"") + settings.delimiter;
    else if (settings.kind == Kind::hl7v2) signs += "|^~\\&ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (char c : signs)
        if (!charset->splitsAt(c))
            return fail(
                Errc::misconfigured,
                settings.kind == Kind::csv
                    ? "a byte of this encoding that looks like a delimiter, a quote or a line end can be part of "
                      "another character; utf-8, utf-16 or an encoding of one byte is expected"
                    : "this format cannot be split in this encoding; utf-8 or an encoding of one byte is expected",
                "format.encoding");
    return {};
}

Result<Units> split(const Settings& settings, std::string_view object) {
    switch (settings.kind) {
        case Kind::json: return Units{{{0, object.size()}}, {}};
        case Kind::xml:
            if (settings.record.empty()) return Units{{{0, object.size()}}, {}};
            return xml::splitRecords(object, settings.record);
        case Kind::ndjson: return json::splitLines(object);
        case Kind::csv: return csv::split(settings, object);
        case Kind::hl7v2: return hl7v2::split(object);
        case Kind::fixed: return fixed::split(object);
        case Kind::edifact: return edifact::split(object);
    }
    return fail(Errc::internal, "a format without a splitter", "format.kind");
}

Result<void> parse(const Settings& settings, std::string_view raw, std::string_view context, NodeTree& tree) {
    if (raw.size() > 0xFFFFFFFFu) return fail(Errc::exhausted, "a raw record is larger than 4 GiB", "format.size");
    switch (settings.kind) {
        case Kind::json:
        case Kind::ndjson: return json::parse(raw, settings.fhir, tree);
        case Kind::csv: return csv::parse(settings, raw, context, tree);
        case Kind::hl7v2: return hl7v2::parse(raw, settings.encoding, settings.groups, tree);
        case Kind::xml: return xml::parse(raw, context, settings.fhir, tree);
        case Kind::fixed: return fixed::parse(settings, raw, tree);
        case Kind::edifact: return edifact::parse(raw, context, tree);
    }
    return fail(Errc::internal, "a format without a reader", "format.kind");
}

Result<std::string> gunzip(std::string_view bytes, std::uint64_t max_bytes) {
    z_stream z{};
    if (inflateInit2(&z, 15 + 16) != Z_OK) return fail(Errc::internal, "the gzip reader cannot start", "gzip");
    std::string out;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    while (true) {
        std::size_t have = out.size();
        out.resize(have + std::max<std::size_t>(64 * 1024, have / 2));
        z.next_out = reinterpret_cast<Bytef*>(out.data() + have);
        z.avail_out = static_cast<uInt>(out.size() - have);
        code = inflate(&z, Z_NO_FLUSH);
        out.resize(out.size() - z.avail_out);
        if (out.size() > max_bytes) {
            inflateEnd(&z);
            return fail(Errc::exhausted, "a gzip file inflates beyond limits.max_object_bytes", "gzip.size");
        }
        // RFC 1952, 2.2: a file may hold several members.
        if (code == Z_STREAM_END && z.avail_in) {
            inflateReset(&z);
            continue;
        }
        if (code != Z_OK) break;
        if (!z.avail_in && z.avail_out) break;
    }
    std::uint64_t at = bytes.size() - z.avail_in;
    inflateEnd(&z);
    if (code != Z_STREAM_END) return fail(Errc::malformed, "a gzip file is cut off or broken", "gzip", at);
    return out;
}

}  // namespace porta::formats
