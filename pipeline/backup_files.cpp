#include "pipeline/backup_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/durable.h"
#include "base/hash.h"
#include "pipeline/decision_log.h"
#include "pipeline/keys.h"
#include "pipeline/schema.h"

namespace porta::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSchema = "porta.backup/1";
constexpr const char* kManifest = "/manifest.json";

Result<std::string> fileDigest(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(Errc::unavailable, path + ": cannot be read; check its permissions", "backup.read");
    std::string piece(1 << 20, '\0');
    return hex(sha256([&] {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        return std::string_view(piece.data(), static_cast<std::size_t>(in.gcount()));
    }));
}

Result<std::string> readFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(Errc::misconfigured,
                    path + ": is missing, so this is no backup, or one that was not finished; name another directory",
                    "backup.manifest");
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

const PartFile kDataFile{Part::data, "data.db", migrate};
const PartFile kDecisionsFile{Part::decisions, "decisions.db", makeDecisionTable};
const PartFile kKeysFile{Part::keys, "keys.db", makeKeyTable};

std::int64_t number(Store& store, const std::string& sql) {
    std::int64_t n = 0;
    store.query(sql, {}, [&](const Row& r) { n = r.isNull(0) ? 0 : r.integer(0); });
    return n;
}

std::vector<Table> carried(Store& sqlite) {
    std::vector<Table> tables = tablesOf(sqlite);
    std::erase_if(tables, [](const Table& t) { return t.name == "meta"; });
    return tables;
}

Result<Json> describe(const std::string& path, Json file, Json rows) {
    auto digest = fileDigest(path);
    if (!digest) return digest.error();
    std::error_code error;
    file["bytes"] = static_cast<std::uint64_t>(fs::file_size(path, error));
    file["sha256"] = *digest;
    file["rows"] = std::move(rows);
    return file;
}

Result<void> writeManifest(const std::string& directory, const char* part, const std::string& key_file,
                           const std::string& made_at, std::vector<Json> files) {
    Json manifest = Json::object();
    manifest["schema"] = kSchema;
    manifest["part"] = part;
    manifest["format_version"] = kFormatVersion;
    manifest["made_at"] = made_at;
    manifest["key_file"] = key_file;
    manifest["files"] = Json::array();
    for (Json& file : files) manifest["files"].push(std::move(file));
    return writeFile(directory + kManifest, print(manifest) + "\n");
}

Result<Json> verified(const std::string& directory, const char* part, const std::string& key_file) {
    auto text = readFile(directory + kManifest);
    if (!text) return text.error();
    auto manifest = parseJson(*text);
    auto wrong = [&](const std::string& what) {
        return fail(Errc::malformed, directory + ": " + what, "backup.manifest");
    };
    if (!manifest || manifest->text("schema") != kSchema || !manifest->find("files"))
        return wrong("manifest.json is not one of porta.backup/1; name the directory that `porta backup` wrote");
    if (manifest->text("part") != part)
        return wrong("holds " + manifest->text("part") + ", and " + part +
                     " are asked for; --from names data, --keys-from keys");
    if (manifest->find("format_version")->integer() != kFormatVersion)
        return wrong("has another format of the store; restore it with the Porta that made it, then upgrade");
    if (manifest->text("key_file") != key_file)
        return fail(Errc::misconfigured,
                    directory + ": was made with another key file; put the one of that store where `keys.file` says",
                    "keys.file");
    for (const Json& file : manifest->find("files")->items()) {
        auto digest = fileDigest(directory + "/" + file.text("name"));
        if (!digest) return digest.error();
        if (*digest != file.text("sha256"))
            return wrong(file.text("name") +
                         " is not as the manifest says: it was altered or cut off; use another copy");
    }
    return manifest;
}

const Json& fileOf(const Json& manifest, const PartFile& part) {
    static const Json none = Json::object();
    for (const Json& file : manifest.find("files")->items())
        if (file.text("name") == part.name) return file;
    return none;
}

std::int64_t figure(const Json& file, const char* name) {
    const Json* found = file.find(name);
    return found ? found->integer() : 0;
}

}  // namespace porta::pipeline
