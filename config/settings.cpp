#include "config/settings.h"

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

std::string resolve(const std::string& directory, const std::string& path) {
    fs::path p(expand(path, directory));
    return (p.is_absolute() ? p : fs::path(directory) / p).lexically_normal().string();
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

/// What people enter has a source in every configuration; a file `sources/desk.yaml` may say more of it.
SourceSettings builtInDesk(const std::string& library) {
    SourceSettings s;
    s.id = s.kind = "desk";
    s.format.kind = *formats::kindNamed("ndjson");
    s.time_zone = "UTC";
    s.mappings = {library + "/desk.yaml"};
    s.file = "sources/desk.yaml";
    return s;
}

void override_(Yaml& root, const std::string& key, const std::string& value) {
    Yaml* at = &root;
    std::size_t from = 0;
    while (true) {
        std::size_t dot = key.find('.', from);
        // A key that stands there with its dots, as `ssl.key.location` below `security`, is meant as a whole.
        if (at->kind == Yaml::Kind::map && at->find(key.substr(from))) dot = std::string::npos;
        std::string step = key.substr(from, dot == std::string::npos ? dot : dot - from);
        if (at->kind != Yaml::Kind::map) {
            *at = Yaml{};
            at->kind = Yaml::Kind::map;
        }
        std::size_t i = std::find(at->keys.begin(), at->keys.end(), step) - at->keys.begin();
        if (i == at->keys.size()) {
            at->keys.push_back(step);
            at->items.emplace_back();
        }
        at = &at->items[i];
        if (dot == std::string::npos) break;
        from = dot + 1;
    }
    *at = Yaml{};
    at->kind = Yaml::Kind::scalar;
    at->text = value;
}

std::string libraryDirectory() {
    if (const char* set = std::getenv("PORTA_LIBRARY")) return set;
    std::error_code ignore;
    fs::path self = fs::read_symlink("/proc/self/exe", ignore).parent_path();
    for (const fs::path& p :
         {self / "../share/porta/mappings", self / "../../mapping/library", self / "../../../mapping/library"})
        if (fs::is_directory(p, ignore)) return p.lexically_normal().string();
    return "mapping/library";
}

Result<int> number(const Yaml& map, const std::string& key, int otherwise, int least, int most,
                   const std::string& path) {
    const Yaml* at = map.find(key);
    if (!at) return otherwise;
    char* end = nullptr;
    long n = std::strtol(at->text.c_str(), &end, 10);
    if (at->text.empty() || *end || n < least || n > most)
        return yamlError(path, *at,
                         "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is expected");
    return static_cast<int>(n);
}

bool topicLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

/// `store`, `log` and `server`. Kafka and PostgreSQL go together: one directory, or scaled out.
Result<void> loadScaledOut(Settings& s, const Yaml& yaml, const std::string& path) {
    auto take = [&](const Yaml& map, const std::string& key, int& to, int least, int most) -> Result<void> {
        auto n = number(map, key, to, least, most, path);
        if (!n) return n.error();
        to = *n;
        return {};
    };
    if (const Yaml* store = yaml.find("store")) {
        if (auto r = checkKeys(*store, {"sqlite", "postgresql"}, path); !r) return r;
        if (const Yaml* pg = store->find("postgresql")) {
            if (auto r = checkKeys(*pg, {"dsn", "password_file", "lease_ms", "answer_ms"}, path); !r) return r;
            s.postgres.dsn = pg->get("dsn");
            if (s.postgres.dsn.find("password") != std::string::npos)
                return yamlError(path, *pg, "a password stands in a file only; name it with `password_file`");
            if (pg->find("password_file")) s.postgres.password_file = resolve(s.directory, pg->get("password_file"));
            if (auto r = take(*pg, "lease_ms", s.postgres.lease_ms, 500, 600000); !r) return r;
            if (auto r = take(*pg, "answer_ms", s.postgres.answer_ms, 500, 3600000); !r) return r;
        }
    }
    if (const Yaml* log = yaml.find("log"); log && log->kind == Yaml::Kind::map) {
        if (auto r = checkKeys(*log, {"kafka"}, path); !r) return r;
        if (const Yaml* kafka = log->find("kafka")) {
            if (auto r = checkKeys(*kafka,
                                   {"brokers", "partitions", "replication", "min_insync_replicas", "session_timeout_ms",
                                    "message_timeout_ms", "prefix", "security"},
                                   path);
                !r)
                return r;
            s.kafka.brokers = kafka->get("brokers");
            if (s.kafka.brokers.empty()) return yamlError(path, *kafka, "`brokers` is missing: host:port, …");
            if (auto r = take(*kafka, "partitions", s.kafka.partitions, 1, 1000); !r) return r;
            if (auto r = take(*kafka, "replication", s.kafka.replication, 1, 9); !r) return r;
            if (auto r = take(*kafka, "min_insync_replicas", s.kafka.min_insync_replicas, 1, 9); !r) return r;
            if (s.kafka.replication > 0 && s.kafka.min_insync_replicas > s.kafka.replication)
                return yamlError(path, *kafka,
                                 "`min_insync_replicas` is above `replication`: nothing could be appended");
            if (auto r = take(*kafka, "session_timeout_ms", s.kafka.session_timeout_ms, 1000, 600000); !r) return r;
            if (auto r = take(*kafka, "message_timeout_ms", s.kafka.message_timeout_ms, 1000, 600000); !r) return r;
            s.kafka.prefix = kafka->get("prefix");
            if (!std::all_of(s.kafka.prefix.begin(), s.kafka.prefix.end(), topicLetter))
                return yamlError(path, *kafka->find("prefix"), "`prefix` takes letters, digits, `.`, `_` and `-`");
            if (const Yaml* security = kafka->find("security"))
                for (std::size_t i = 0; i < security->keys.size(); ++i)
                    s.kafka.security.emplace_back(security->keys[i], security->items[i].text);
        }
    } else if (log && log->text != "embedded") {
        return yamlError(path, *log, "`log` is embedded, or kafka: {brokers: …}");
    }
    if (auto r = take(yaml, "poll_ms", s.poll_ms, 1, 60000); !r) return r;
    if (const Yaml* server = yaml.find("server")) {
        if (auto r = checkKeys(*server, {"port", "host"}, path); !r) return r;
        if (auto r = take(*server, "port", s.port, 0, 65535); !r) return r;
        s.host = server->get("host", s.host);
    }
    if (s.kafka.brokers.empty() != s.postgres.dsn.empty())
        return fail(Errc::misconfigured,
                    path + ": log.kafka and store.postgresql go together; give both, or none for one directory",
                    "store");
    return {};
}

}  // namespace

const std::vector<std::string>& sectionKeys(const std::string& section) {
    static const std::vector<std::string> files{"path", "pattern", "compression", "on_done"}, http{"token_file"}, none;
    return section == "files" ? files : section == "http" ? http : none;
}

const std::vector<std::string>& sourceKinds() {
    static const std::vector<std::string> kinds{"files", "http", "desk"};
    return kinds;
}

const SourceSettings* Settings::source(const std::string& id) const {
    for (const SourceSettings& s : sources)
        if (s.id == id) return &s;
    return nullptr;
}

Result<Settings> load(const std::string& directory, const std::string& state,
                      const std::vector<std::string>& overrides) {
    Settings s;
    s.directory = fs::absolute(directory).lexically_normal().string();
    while (s.directory.size() > 1 && s.directory.back() == '/') s.directory.pop_back();
    std::string path = s.directory + "/porta.yaml";
    auto yaml = loadYaml(path);
    if (!yaml) return yaml.error();
    for (const std::string& o : overrides) {
        std::size_t eq = o.find('=');
        if (eq == std::string::npos) return fail(Errc::misconfigured, "--set takes key=value", "set");
        override_(*yaml, o.substr(0, eq), o.substr(eq + 1));
    }
    if (auto r = checkKeys(*yaml, {"testing", "state", "store", "log", "keys", "tenants", "server", "poll_ms"}, path);
        !r)
        return r.error();
    s.testing = yaml->get("testing") == "true";
    s.state = state.empty() ? resolve(s.directory, yaml->get("state", "state"))
                            : fs::absolute(state).lexically_normal().string();
    s.library = libraryDirectory();
    std::string store = "porta.db";
    if (const Yaml* st = yaml->find("store"))
        if (const Yaml* sqlite = st->find("sqlite")) {
            if (auto r = checkKeys(*sqlite, {"path"}, path); !r) return r.error();
            store = sqlite->get("path", "porta.db");
        }
    s.store_path = resolve(s.state, store);
    if (auto r = loadScaledOut(s, *yaml, path); !r) return r.error();
    const Yaml* keys = yaml->find("keys");
    if (!keys || keys->get("file").empty())
        return yamlError(path, *yaml, "`keys.file` is missing: the file with the key-encryption key");
    if (auto r = checkKeys(*keys, {"file"}, path); !r) return r.error();
    s.key_file = resolve(s.directory, keys->get("file"));
    std::error_code error;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(s.directory + "/sources", error))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    if (error)
        return fail(Errc::misconfigured,
                    s.directory + "/sources: cannot be read; a configuration has one file per source there", "sources");
    std::sort(files.begin(), files.end());
    for (const std::string& f : files) {
        auto source = loadSource(s.directory, f, s.library);
        if (!source) return source.error();
        if (s.source(source->id))
            return fail(Errc::misconfigured, f + ":1:1: the source id `" + source->id + "` is used twice", "sources");
        s.sources.push_back(std::move(*source));
    }
    if (!s.source("desk")) s.sources.push_back(builtInDesk(s.library));
    std::sort(s.sources.begin(), s.sources.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return s;
}

}  // namespace porta::config
