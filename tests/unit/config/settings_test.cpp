// What a configuration may say of where Porta runs, and how it is told that it is wrong.
#include "config/settings.h"

#include <gtest/gtest.h>

#include <cmath>
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

TEST_F(Configuration, aKeyWithDotsIsReplacedAsAWhole) {
    auto s = with(
        "log: {kafka: {brokers: 'a:1', security: {security.protocol: ssl, ssl.key.location: there}}}\n"
        "store: {postgresql: {dsn: dbname=porta}}\n",
        {"log.kafka.security.ssl.key.location=here", "log.kafka.min_insync_replicas=2"});
    ASSERT_TRUE(s) << s.error().message;
    ASSERT_EQ(s->kafka.security.size(), 2u);
    EXPECT_EQ(s->kafka.security[1].first, "ssl.key.location");
    EXPECT_EQ(s->kafka.security[1].second, "here");
    EXPECT_EQ(s->kafka.min_insync_replicas, 2);
}

TEST_F(Configuration, anUnknownKeyOfTheKeysIsRefused) { EXPECT_FALSE(with("", {"keys.fille=x"})); }

struct Wrong {
    const char *yaml, *says;
};

TEST_F(Configuration, whatIsWrongIsNamedWithItsPlace) {
    for (const Wrong& w : {
             Wrong{"log: {kafka: {brokers: 'a:1'}}\n", "go together"},
             Wrong{"store: {postgresql: {dsn: dbname=porta}}\n", "go together"},
             Wrong{"store: {postgresql: {dsn: 'password=x'}}\n", "password_file"},
             Wrong{"log: {kafka: {}}\n", "brokers"},
             Wrong{"log: {kafka: {brokers: 'a:1', message_timeout_ms: 10}}\n", "1000"},
             Wrong{"log: {kafka: {brokers: 'a:1', prefix: 'no blanks'}}\n", "prefix"},
             Wrong{"log: {kafka: {broker: 'a:1'}}\n", "did you mean `brokers`"},
             Wrong{"log: elsewhere\n", ":2:"},
             Wrong{"store: {sqlite: {pth: porta.db}}\n", "did you mean `path`"},
             Wrong{"log: {kafka: {brokers: 'a:1', replication: 2, min_insync_replicas: 3}}\n", "nothing could be"},
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

TEST_F(Configuration, aKeyOfASourceTakesEffectOrIsRefusedWithItsPlace) {
    auto source = [&](const std::string& more, const std::string& format = "{kind: csv}") {
        std::ofstream(root_ / "sources/s.yaml")
            << "id: s\nformat: " << format << "\nmapping: library:desk\nno_data_means: none\n"
            << (more.find("coverage") == std::string::npos ? "coverage: {from: 2020-01-01}\n" : "") << more << "\n";
        return with("");
    };
    for (const Wrong& w : {
             Wrong{"files: {path: a, compression: zip}", "6:31: unknown `compression`"},
             Wrong{"files: {path: a, compression: nnoe}", "did you mean `none`"},
             Wrong{"limits: {max_delete_share: 20%}", "6:28: a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: 1.5}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: 1.000001}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: -0.1}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: 0.1234567}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: 1e-1}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: '0.'}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: '0,2'}", "a decimal from 0 to 1"},
             Wrong{"limits: {max_delete_share: ''}", "a decimal from 0 to 1"},
             Wrong{"security: {level: secret}", "6:19: unknown `security.level`"},
             Wrong{"security: {levle: normal}", "did you mean `level`"},
             Wrong{"coverage: {form: 2015-01-01}", "5:12: "},
             Wrong{"purposes: care", "6:11: "},
             Wrong{"purposes: {care: yes}", "6:11: "},
             Wrong{"purposes: [care, care]", "6:"},
         }) {
        auto s = source(w.yaml);
        ASSERT_FALSE(s) << w.yaml;
        EXPECT_NE(s.error().message.find(w.says), std::string::npos) << w.yaml << s.error().message;
    }
    const std::pair<const char*, std::int64_t> shares[] = {{"0", 0},         {"1", 1000000},  {"0.2", 200000},
                                                           {"1.0", 1000000}, {"0.000001", 1}, {"0.333333", 333333}};
    for (const auto& [text, millionths] : shares) {
        auto s = source(std::string("limits: {max_delete_share: ") + text + "}");
        ASSERT_TRUE(s) << text << s.error().message;
        EXPECT_EQ(std::llround(s->source("s")->max_delete_share * 1000000), millionths) << text;
    }
    auto s = source("files: {path: a, compression: none}\nsecurity: {level: restricted}\npurposes: [care, work]");
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_FALSE(s->source("s")->compressed);
    ASSERT_TRUE(s->source("s")->purposes);
    EXPECT_EQ(s->source("s")->purposes->at(1).id, "work");
    EXPECT_FALSE(source("")->source("s")->purposes) << "a source without the key sets no limit";
    for (const char* format :
         {"{kind: hl7v2, encoding: utf-16}", "{kind: csv, encoding: utf-32}", "{kind: json, encoding: utf-16}",
          "{kind: csv, delimiter: '|', encoding: shift_jis}", "{kind: csv, encoding: no-such}"}) {
        auto refused = source("", format);
        ASSERT_FALSE(refused) << format;
        EXPECT_NE(refused.error().message.find("s.yaml:2:"), std::string::npos) << refused.error().message;
        EXPECT_NE(refused.error().message.find("`format.encoding`"), std::string::npos) << refused.error().message;
    }
    for (const char* format : {"{kind: csv, encoding: utf-16}", "{kind: csv, encoding: utf-16le}",
                               "{kind: csv, encoding: shift_jis}", "{kind: csv, delimiter: '|', encoding: euc-jp}",
                               "{kind: hl7v2, encoding: windows-1252}", "{kind: hl7v2, encoding: iso-8859-15}"})
        EXPECT_TRUE(source("", format)) << format;
}

}  // namespace
}  // namespace porta::config
