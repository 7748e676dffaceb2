#include "config/settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/yaml.h"
#include "config/source_settings.h"

namespace porta::config {

namespace fs = std::filesystem;

namespace {

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
