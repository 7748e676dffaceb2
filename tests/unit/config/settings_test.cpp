// What a configuration may say of where Porta runs, and how it is told that it is wrong.
#include "config/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace porta::config {
namespace {

namespace fs = std::filesystem;

class Configuration : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "porta-config-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
        fs::create_directories(root_ / "sources");
    }
    void TearDown() override { fs::remove_all(root_); }
    Result<Settings> with(const std::string& yaml, const std::vector<std::string>& set = {}) {
        std::ofstream(root_ / "porta.yaml") << "keys: {file: key}\n" << yaml;
        return load(root_.string(), "", set);
    }
    fs::path root_;
};

TEST_F(Configuration, oneDirectoryIsTheDefault) {
    auto s = with("log: embedded\nstore: {sqlite: {path: porta.db}}\n");
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_FALSE(s->scaledOut());
    EXPECT_EQ(s->port, 8470);
}

TEST_F(Configuration, aKeyOfAnotherVariantSelectsIt) {
    auto s =
        with("log: embedded\nstore: {sqlite: {path: porta.db}}\n",
             {"log.kafka.brokers=127.0.0.1:9092", "store.postgresql.dsn=host=127.0.0.1 dbname=porta", "server.port=0"});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_TRUE(s->scaledOut());
    EXPECT_EQ(s->postgres.dsn, "host=127.0.0.1 dbname=porta");
    EXPECT_EQ(s->port, 0);
}

struct Wrong {
    const char *yaml, *says;
};

TEST_F(Configuration, whatIsWrongIsNamedWithItsPlace) {
    for (const Wrong& w : {
             Wrong{"log: {kafka: {brokers: 'a:1'}}\n", "go together"},
             Wrong{"store: {postgresql: {dsn: dbname=porta}}\n", "go together"},
             Wrong{"store: {postgresql: {dsn: 'password=x'}}\n", "password_file"},
             Wrong{"log: {kafka: {}}\n", "brokers"},
             Wrong{"log: {kafka: {broker: 'a:1'}}\n", "did you mean `brokers`"},
             Wrong{"log: elsewhere\n", ":2:"},
             Wrong{"server: {port: 70000}\n", "0 to 65535"},
             Wrong{"server: {prot: 1}\n", "did you mean `port`"},
             Wrong{"poll_ms: soon\n", "a number from"},
             Wrong{"storage: {}\n", ":2:1:"},
         }) {
        auto s = with(w.yaml);
        ASSERT_FALSE(s) << w.yaml;
        EXPECT_EQ(s.error().code, Errc::misconfigured);
        EXPECT_NE(s.error().message.find(w.says), std::string::npos) << w.yaml << s.error().message;
    }
}

TEST_F(Configuration, aSourceThatIsPushedToNeedsAToken) {
    const std::string source =
        "id: door\nkind: http\nformat: {kind: json}\nmapping: library:desk\ncoverage: {from: "
        "2020-01-01}\nno_data_means: none\n";
    std::ofstream(root_ / "sources/door.yaml") << source;
    auto s = with("");
    ASSERT_FALSE(s);
    EXPECT_NE(s.error().message.find("token_file"), std::string::npos) << s.error().message;
    std::ofstream(root_ / "sources/door.yaml") << source << "http: {token_file: token}\n";
    s = with("");
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->source("door")->token_file, (root_ / "token").string());
}

TEST_F(Configuration, aSourceThatDeclaresNoCoverageIsRefused) {
    std::ofstream(root_ / "sources/s.yaml")
        << "id: s\nformat: {kind: json}\nmapping: library:desk\nno_data_means: none\n";
    auto s = with("");
    ASSERT_FALSE(s);
    EXPECT_NE(s.error().message.find("coverage"), std::string::npos);
}

}  // namespace
}  // namespace porta::config
