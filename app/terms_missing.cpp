#include "app/terms_missing.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <iostream>
#include <map>
#include <tuple>

#include "app/open.h"
#include "app/permit.h"
#include "formats/charset.h"
#include "mapping/engine/stand_ins.h"
#include "pipeline/map.h"

namespace porta::app {

namespace {

struct Missing {
    std::string source, table, code;
    std::string taken = {};  ///< what stood in for a row; empty: nothing, it waits in quarantine
    friend bool operator<(const Missing& a, const Missing& b) {
        return std::tie(a.source, a.table, a.code, a.taken) < std::tie(b.source, b.table, b.code, b.taken);
    }
};
using Counts = std::map<Missing, std::size_t>;

void printMissing(const Counts& counts, bool codes) {
    std::vector<std::pair<Missing, std::size_t>> most(counts.begin(), counts.end());
    std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [what, n] : most) {
        Json line = Json::object();
        line["source"] = what.source;
        line["table"] = what.table;
        if (codes) line["code"] = what.code;
        if (!what.taken.empty()) line["taken"] = what.taken;
        line["count"] = static_cast<std::int64_t>(n);
        std::cout << print(line) << "\n";
    }
}

/// `--last`; 0 without it.
Result<std::size_t> lastOf(const Options& o) {
    const std::string text = o.get("--last");
    std::size_t last = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), last);
    if (!text.empty() && (read.ec != std::errc() || read.ptr != text.data() + text.size() || last == 0))
        return fail(Errc::misconfigured, "--last: a number of raw records expected", "--last");
    return last;
}

/// What the stored raw records of sources are looked at for.
struct Look {
    const config::Settings& settings;
    pipeline::Reader& reader;
    std::function<bool(const std::string& source)> asked;
    std::function<bool(std::int64_t raw)> readable;
    bool codes = false;
};

/// Codes that tables let through, in the newest records of each source. The store keeps which row was taken and not why:
/// the records are mapped again.
Result<void> addStandIns(const Look& look, std::size_t last, Counts& counts) {
    auto sources = pipeline::loadSources(look.settings);
    if (!sources) return sources.error();
    std::map<std::string, std::deque<std::pair<std::int64_t, std::int64_t>>> rows;  // raw record, object
    look.reader.eachRaw([&](const pipeline::RawRow& row) {
        const std::string& source = look.reader.objectOf(row.object).row.source;
        if (!sources->count(source) || !look.asked(source) || !look.readable(row.id)) return;
        auto& newest = rows[source];
        newest.emplace_back(row.id, row.object);
        if (newest.size() > last) newest.pop_front();
    });
    formats::NodeTree tree;
    for (const auto& [source, newest] : rows)
        for (const auto& [id, object] : newest) {
            auto bytes = look.reader.rawBytes(id);
            if (!bytes && bytes.error().code == Errc::not_found) continue;  // its key was destroyed
            if (!bytes) return bytes.error();
            const pipeline::Source& of = sources->at(source);
            const mapping::Input input = pipeline::inputOf(*of.settings, look.reader.objectOf(object).meta, *bytes);
            for (const mapping::StandIn& s : mapping::standIns(of.programs, of.settings->format, input, tree))
                ++counts[{source, s.table, look.codes ? s.code : "", std::string(s.taken)}];
        }
    return {};
}

/// Without a user: how many, never which.
int missingCounts(const Options& o, std::size_t last) {
    auto settings = loadSettings(o);
    if (!settings) return complain(settings.error());
    return withReader(o, [&](pipeline::Reader& reader) {
        Counts counts;
        const std::string source = o.get("--source");
        auto asked = [&](const std::string& id) { return source.empty() || id == source; };
        reader.quarantine([&](const Json& j) {
            if (j.text("code") == "unmapped" && asked(j.text("source")))
                ++counts[{j.text("source"), j.text("rule"), ""}];
        });
        const Look look{*settings, reader, asked, [](std::int64_t) { return true; }};
        if (last > 0)
            if (auto added = addStandIns(look, last, counts); !added) return complain(added.error());
        printMissing(counts, false);
        if (!counts.empty()) std::cerr << "the codes are shown with --as USER --purpose P\n";
        return 0;
    });
}

std::string decoded(const config::Settings& settings, const std::string& source, const std::string& piece) {
    if (formats::invalidUtf8(piece) == std::string::npos) return piece;
    for (const auto& s : settings.sources)
        if (s.id == source)
            if (auto charset = formats::sharedCharset(s.format.encoding))
                if (auto text = (*charset)->decode(piece)) return *text;
    return hex(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
}

/// Codes that wait in quarantine.
Result<void> addWaiting(const Look& look, Counts& counts) {
    std::vector<Json> waiting;
    look.reader.quarantine([&](const Json& j) {
        if (look.asked(j.text("source")) && j.text("code") == "unmapped" && look.readable(j.find("n")->integer()))
            waiting.push_back(j);
    });
    for (const Json& j : waiting) {
        auto bytes = look.reader.rawBytes(j.find("n")->integer());
        if (!bytes) return bytes.error();
        const auto& span = j.find("span")->items();
        const std::size_t from = std::min(static_cast<std::size_t>(span[0].integer()), bytes->size());
        const std::string piece = bytes->substr(from, static_cast<std::size_t>(span[1].integer()) - from);
        ++counts[{j.text("source"), j.text("rule"), decoded(look.settings, j.text("source"), piece)}];
    }
    return {};
}

}  // namespace

int termsMissing(const Options& o) {
    auto last = lastOf(o);
    if (!last) return complain(last.error());
    if (o.get("--as").empty()) return missingCounts(o, *last);
    auto p = permit(o, "terms.missing", 0);
    if (!p) return complain(p.error());
    // A code stands in the bytes of a record, which some purposes do not see.
    if (auto r = p->mayShow("raw"); !r) return p->ends(r.error());
    const std::string source = o.get("--source");
    if (!source.empty())
        if (auto r = p->mayRead(source); !r) return p->ends(r.error());
    const pipeline::Reader::Sealed sealed = p->purpose.sealed ? pipeline::Reader::Sealed{} : p->reader->sealed();
    const Look look{p->settings, *p->reader,
                    [&](const std::string& id) { return p->purpose.source(id) && (source.empty() || id == source); },
                    [&](std::int64_t raw) { return !sealed.raws.count(raw); }, true};
    Counts counts;
    auto added = addWaiting(look, counts);
    if (added && *last > 0) added = addStandIns(look, *last, counts);
    if (!added) return p->ends(added.error());
    if (auto r = p->answers({.everybody = true}); !r) return complain(r.error());
    printMissing(counts, true);
    return 0;
}

}  // namespace porta::app
