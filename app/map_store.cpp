#include "app/map_store.h"

#include <deque>

#include "base/yaml.h"
#include "pipeline/map.h"

namespace porta::app {

void addStore(CLI::App& app, Options& options) {
    auto value = [&app, &options](const char* name, const char* what) {
        app.add_option_function<std::string>(
            name, [&options, name](const std::string& text) { options.values[name] = text; }, what);
    };
    value("-c", "configuration directory");
    value("--state", "where the embedded store lives");
    app.add_option("--set", options.sets, "key=value: overrides one configuration key");
}

Result<void> eachRecent(const Options& options, const std::string& source, std::size_t last,
                        const std::function<void(const StoredRaw&)>& raw) {
    auto settings = loadSettings(options);
    if (!settings) return settings.error();
    const config::SourceSettings* declared = nullptr;
    std::vector<std::string> known;
    for (const config::SourceSettings& s : settings->sources) {
        known.push_back(s.id);
        if (s.id == source) declared = &s;
    }
    if (!declared) {
        const std::string near = nearest(source, known);
        return fail(Errc::not_found,
                    "neither a file nor a source of the configuration: `" + source + "`" +
                        (near.empty() ? "" : "; did you mean `" + near + "`?"),
                    "map.source");
    }
    auto reader = pipeline::Reader::open(*settings);
    if (!reader) return reader.error();
    try {
        std::deque<std::pair<std::int64_t, std::int64_t>> rows;  // raw record, object
        (*reader)->eachRaw([&](const pipeline::RawRow& row) {
            if ((*reader)->objectOf(row.object).row.source != source) return;
            rows.emplace_back(row.id, row.object);
            if (rows.size() > last) rows.pop_front();
        });
        for (const auto& [id, object] : rows) {
            auto bytes = (*reader)->rawBytes(id);
            if (!bytes) {
                if (bytes.error().code == Errc::not_found) continue;
                return bytes.error();
            }
            const mapping::Input input = pipeline::inputOf(*declared, (*reader)->objectOf(object).meta, *bytes);
            raw({**reader, id, declared->format, input});
        }
    } catch (const pipeline::Failure& f) {
        return f.error;
    }
    return {};
}

}  // namespace porta::app
