// One source's file: sources/ID.yaml.
#include "config/source_settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/yaml.h"

namespace porta::config {

namespace fs = std::filesystem;

namespace {

/// `${NAME}` from the environment; PORTA_SAMPLES falls back to the data beside the project.
std::string expand(std::string text, const std::string& directory) {
    for (std::size_t at; (at = text.find("${")) != std::string::npos;) {
        std::size_t end = text.find('}', at);
        if (end == std::string::npos) break;
        std::string name = text.substr(at + 2, end - at - 2);
        const char* value = std::getenv(name.c_str());
        std::string found = value ? value : name == "PORTA_SAMPLES" ? directory + "/../../../shared/data" : "";
        text.replace(at, end - at + 1, found);
    }
    return text;
}

/// ISO 8601 durations of whole days, hours and minutes.
Result<std::int64_t> duration(const Yaml& at, const std::string& file) {
    const std::string& t = at.text;
    std::int64_t total = 0, number = 0;
    bool time = false, any = false;
    for (std::size_t i = 0; i < t.size(); ++i) {
        char c = t[i];
        if (i == 0 && c == 'P') continue;
        if (c == 'T') time = true;
        else if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
        else {
            std::int64_t unit = c == 'W'           ? 7 * 86400
                                : c == 'D'         ? 86400
                                : c == 'H' && time ? 3600
                                : c == 'M' && time ? 60
                                                   : 0;
            if (!unit) return yamlError(file, at, "a duration such as P1D or PT12H is expected");
            total += number * unit;
            number = 0;
            any = true;
        }
    }
    if (t.empty() || t[0] != 'P' || !any) return yamlError(file, at, "a duration such as P1D or PT12H is expected");
    return total * 1000000;
}

Result<std::uint64_t> size(const Yaml& at, const std::string& file) {
    char* end = nullptr;
    std::uint64_t n = std::strtoull(at.text.c_str(), &end, 10);
    std::string unit = end;
    std::uint64_t factor = unit.empty() || unit == "B" ? 1
                           : unit == "KiB"             ? 1ull << 10
                           : unit == "MiB"             ? 1ull << 20
                           : unit == "GiB"             ? 1ull << 30
                                                       : 0;
    if (end == at.text.c_str() || !factor) return yamlError(file, at, "a size such as 64MiB is expected");
    return n * factor;
}

/// A decimal from 0 to 1 in millionths, the unit in which shares are compared: no digit is guessed and none is lost.
Result<std::uint32_t> share(const Yaml& at, const std::string& file) {
    const std::string& t = at.text;
    const bool point = t.size() > 2 && t.size() <= 8 && t[1] == '.';
    bool good = at.kind == Yaml::Kind::scalar && (t.size() == 1 || point) && (t[0] == '0' || t[0] == '1');
    std::uint32_t n = 0;
    for (std::size_t i = 0; good && i < 8; ++i) {
        if (i == 1) continue;
        char c = i < t.size() ? t[i] : '0';
        good = c >= '0' && c <= '9';
        n = n * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (!good || n > 1000000)
        return yamlError(file, at, "a decimal from 0 to 1 with at most six places is expected, such as 0.2");
    return n;
}

}  // namespace

std::string resolve(const std::string& directory, const std::string& path) {
    fs::path p(expand(path, directory));
    return (p.is_absolute() ? p : fs::path(directory) / p).lexically_normal().string();
}

Result<SourceSettings> loadSource(const std::string& directory, const std::string& path, const std::string& library) {
    auto yaml = loadYaml(path);
    if (!yaml) return yaml.error();
    const Yaml& y = *yaml;
    if (auto r = checkKeys(y,
                           {"id", "kind", "tenant", "agency", "files", "http", "format", "feed", "order", "object_time",
                            "mapping", "as_of", "coverage", "no_data_means", "security", "purposes", "limits"},
                           path);
        !r)
        return r.error();
    SourceSettings s;
    s.file = "sources/" + fs::path(path).filename().string();
    s.id = y.get("id");
    if (s.id.empty()) return yamlError(path, y, "`id` is missing");
    for (char c : s.id)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_')
            return yamlError(path, *y.find("id"), "an id has letters, digits, `-` and `_` only");
    s.kind = y.get("kind", "files");
    const auto& kinds = sourceKinds();
    if (std::find(kinds.begin(), kinds.end(), s.kind) == kinds.end())
        return yamlError(path, *y.find("kind"), "unknown kind `" + s.kind + "`; known: files, http, desk");
    s.tenant = y.get("tenant");
    if (const Yaml* a = y.find("agency")) {
        if (auto r = checkKeys(*a, {"id", "name", "domain"}, path); !r) return r.error();
        s.agency_id = a->get("id");
        s.agency_name = a->get("name");
        s.domain = a->get("domain", "other");
        static const std::vector<std::string> domains{"health", "employment", "social", "other"};
        if (std::find(domains.begin(), domains.end(), s.domain) == domains.end())
            return yamlError(path, *a->find("domain"),
                             "unknown domain `" + s.domain + "`; known: health, employment, social, other");
    }
    if (const Yaml* f = y.find("files")) {
        if (auto r = checkKeys(*f, sectionKeys("files"), path); !r) return r.error();
        if (f->get("path").empty()) return yamlError(path, *f, "`files.path` is missing: where the files lie");
        s.path = resolve(directory + "/sources/..", f->get("path"));
        s.pattern = f->get("pattern", "*");
        s.on_done = f->get("on_done", "keep");
        if (const Yaml* c = f->find("compression")) {
            auto read = YamlChecks(path).choice(*c, "`compression`", {"auto", "none"});
            if (!read) return read.error();
            s.compressed = *read == "auto";
        }
        if (s.on_done != "keep" && s.on_done != "delete" && s.on_done.rfind("move:", 0) != 0)
            return yamlError(path, *f->find("on_done"), "`on_done` is keep, move:DIR or delete");
    }
    if (const Yaml* h = y.find("http")) {
        if (auto r = checkKeys(*h, sectionKeys("http"), path); !r) return r.error();
        const std::string token_file = h->get("token_file");
        if (!token_file.empty()) s.token_file = resolve(directory, token_file);
    }
    if (s.kind == "http" && s.token_file.empty())
        return yamlError(path, y, "a source of kind http needs `http: {token_file: …}`: who may push to it");
    const Yaml* format = y.find("format");
    if (!format) return yamlError(path, y, "`format` is missing");
    if (auto r = checkKeys(
            *format,
            {"kind", "delimiter", "encoding", "header", "dates", "time_zone", "dialect", "columns", "ragged", "record"},
            path);
        !r)
        return r.error();
    auto kind = formats::kindNamed(format->get("kind"));
    if (!kind) return yamlError(path, *format, "format kind: " + kind.error().message);
    s.format.kind = *kind;
    std::string delimiter = format->get("delimiter", ",");
    if (delimiter == "\\t") delimiter = "\t";
    if (delimiter.size() != 1) return yamlError(path, *format->find("delimiter"), "one character is expected");
    s.format.delimiter = delimiter[0];
    s.format.encoding = format->get("encoding", "utf-8");
    if (auto fits = formats::checkEncoding(s.format); !fits)
        return yamlError(path, format->find("encoding") ? *format->find("encoding") : *format,
                         "`format.encoding`: " + fits.error().message);
    s.format.header = format->get("header", "true") == "true";
    s.format.record = format->get("record");
    if (!s.format.record.empty() && s.format.kind != formats::Kind::xml)
        return yamlError(path, *format->find("record"),
                         "`format.record` belongs to kind xml: the element that is a record");
    s.format.ragged = format->get("ragged") == "true";
    const Yaml* columns = format->find("columns");
    if ((columns != nullptr) != (s.format.kind == formats::Kind::fixed))
        return yamlError(path, columns ? *columns : *format,
                         "`format.columns` belongs to kind fixed, which needs it: such as [id:10, -:2, name:30]");
    if (columns) {
        std::vector<std::string> texts;
        for (const Yaml& item : columns->items) texts.push_back(item.text);
        auto read = formats::columnsFrom(texts);
        if (!read || texts.empty())
            return yamlError(path, *columns,
                             "`format.columns`: " + (read ? "a list is expected" : read.error().message));
        s.format.columns = *read;
    }
    s.format.fhir = format->get("dialect") == "fhir";
    s.date_pattern = format->get("dates");
    s.time_zone = format->get("time_zone");
    std::string feed = y.get("feed", "delta");
    if (feed != "full" && feed != "delta") return yamlError(path, *y.find("feed"), "`feed` is full or delta");
    s.full = feed == "full";
    std::string order = y.get("order");
    if (!order.empty() && order != "arrival") return yamlError(path, *y.find("order"), "`order` can only say arrival");
    s.arrival = order == "arrival";
    if (const Yaml* o = y.find("object_time")) {
        if (auto r = checkKeys(*o, {"from", "pattern"}, path); !r) return r.error();
        s.object_time_from = o->get("from");
        s.object_time_pattern = o->get("pattern");
        if (s.object_time_from != "filename") return yamlError(path, *o, "`object_time.from` must be filename");
    }
    if (s.full && s.object_time_from.empty()) return yamlError(path, y, "a full feed needs `object_time`");
    const Yaml* mapping = y.find("mapping");
    if (!mapping) return yamlError(path, y, "`mapping` is missing");
    auto add = [&](const Yaml& m) {
        if (m.text.rfind("library:", 0) == 0) s.mappings.push_back(library + "/" + m.text.substr(8) + ".yaml");
        else s.mappings.push_back(resolve(directory + "/sources", m.text));
    };
    if (mapping->kind == Yaml::Kind::sequence)
        for (const Yaml& m : mapping->items) add(m);
    else add(*mapping);
    if (const Yaml* p = y.find("as_of")) {
        auto d = duration(*p, path);
        if (!d) return d.error();
        s.promise_micros = *d;
    }
    const Yaml* coverage = y.find("coverage");
    if (!coverage || !y.find("no_data_means"))
        return yamlError(path, y,
                         "a source must declare `coverage` and `no_data_means`, or \"no record\" cannot be told from "
                         "\"not covered\"");
    if (auto r = checkKeys(*coverage, {"area", "from", "to", "who"}, path); !r) return r.error();
    s.coverage_from = coverage->get("from");
    s.coverage_who = coverage->get("who");
    s.no_data_means = y.get("no_data_means");
    if (const Yaml* l = y.find("limits")) {
        if (auto r = checkKeys(*l, {"max_object_bytes", "max_delete_share"}, path); !r) return r.error();
        if (const Yaml* m = l->find("max_object_bytes")) {
            auto n = size(*m, path);
            if (!n) return n.error();
            s.max_object_bytes = *n;
        }
        if (const Yaml* m = l->find("max_delete_share")) {
            auto millionths = share(*m, path);
            if (!millionths) return millionths.error();
            s.max_delete_share = static_cast<double>(*millionths) / 1000000;
        }
    }
    if (const Yaml* security = y.find("security")) {
        if (auto r = checkKeys(*security, {"level"}, path); !r) return r.error();
        if (const Yaml* level = security->find("level"))
            if (auto r = YamlChecks(path).choice(*level, "`security.level`", {"normal", "restricted", "sealed"}); !r)
                return r.error();
    }
    if (const Yaml* purposes = y.find("purposes")) {
        auto read = YamlChecks(path).names(*purposes, "`purposes`");
        if (!read) return read.error();
        s.purposes.emplace();
        for (const Yaml& item : purposes->items) s.purposes->push_back({item.text, item.line, item.column});
    }
    return s;
}

SourceSettings builtInDesk(const std::string& library) {
    SourceSettings s;
    s.id = s.kind = "desk";
    s.format.kind = *formats::kindNamed("ndjson");
    s.time_zone = "UTC";
    s.mappings = {library + "/desk.yaml"};
    s.file = "sources/desk.yaml";
    return s;
}

const std::vector<std::string>& sourceKinds() {
    static const std::vector<std::string> kinds{"files", "http", "desk"};
    return kinds;
}

}  // namespace porta::config
