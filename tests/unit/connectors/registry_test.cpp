// The catalogue is what the golden file says, and the configuration takes exactly what it lists.
#include "connectors/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/settings.h"

namespace porta::connectors {
namespace {

namespace fs = std::filesystem;

TEST(Registry, theCatalogueIsTheGoldenOne) {
    std::ifstream in(std::string(PORTA_ROOT) + "/tests/golden/connectors/catalogue.json");
    std::ostringstream text;
    text << in.rdbuf();
    auto golden = parseJson(text.str());
    ASSERT_TRUE(golden.has_value());
    EXPECT_EQ(print(*golden), print(catalogue()))
        << "if it should be so: porta connector describe --json | python3 -m json.tool --no-ensure-ascii > "
           "tests/golden/connectors/catalogue.json";
}

TEST(Registry, everySettingIsExplained) {
    std::string before;
    for (const auto& kind : registry()) {
        EXPECT_LT(before, kind.name);
        before = kind.name;
        EXPECT_FALSE(kind.summary.empty()) << kind.name;
        EXPECT_EQ(kind.section.empty(), kind.settings.empty()) << kind.name;
        for (const auto& s : kind.settings) {
            EXPECT_FALSE(s.type.empty() || s.example.empty() || s.sentence.empty()) << kind.name << "." << s.name;
            EXPECT_FALSE(s.required && !s.otherwise.empty()) << s.name << ": what is required has no default";
        }
    }
    EXPECT_EQ(kindNamed("none"), nullptr);
}

/// A configuration with one source.
class Configuration : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "porta_registry_XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        fs::create_directories(root_ + "/sources");
        std::ofstream(root_ + "/porta.yaml") << "keys: {file: keys}\n";
    }
    void TearDown() override { fs::remove_all(root_); }

    /// Nothing, or what the configuration says against a source of that kind with these settings.
    std::string refused(const schemas::Descriptor& kind, const std::string& settings) {
        std::ofstream out(root_ + "/sources/x.yaml");
        out << "id: x\nkind: " << kind.name << "\nformat: {kind: ndjson}\nmapping: x.yaml\n"
            << "coverage: {area: [IT]}\nno_data_means: nothing\n";
        if (!kind.section.empty()) out << kind.section << ": {" << settings << "}\n";
        out.close();
        auto loaded = config::load(root_, "", {});
        return loaded ? "" : loaded.error().message;
    }
    static std::string set(const schemas::Setting& s, const std::string& value) {
        return s.name + ": \"" + value + "\", ";
    }
    /// The examples of all settings that are required, but for one.
    static std::string required(const schemas::Descriptor& kind, const std::string& but = "") {
        std::string text;
        for (const auto& s : kind.settings)
            if (s.required && s.name != but) text += set(s, s.example);
        return text;
    }

    std::string root_;
};

TEST_F(Configuration, takesTheKindsOfTheRegistryAndNoOther) {
    std::set<std::string> known, accepted(config::sourceKinds().begin(), config::sourceKinds().end());
    for (const auto& kind : registry()) {
        known.insert(kind.name);
        EXPECT_EQ(refused(kind, required(kind)), "") << kind.name;
    }
    EXPECT_EQ(known, accepted);
    EXPECT_NE(refused({.name = "pigeon", .summary = "", .section = "", .settings = {}}, ""), "");
}

TEST_F(Configuration, takesTheSettingsOfADescriptorAndNoOther) {
    for (const auto& kind : registry()) {
        if (kind.section.empty()) continue;
        std::set<std::string> listed;
        const auto& keys = config::sectionKeys(kind.section);
        for (const auto& s : kind.settings) {
            listed.insert(s.name);
            const std::string others = required(kind, s.name);
            EXPECT_EQ(refused(kind, others + set(s, s.example)), "") << kind.name << "." << s.name;
            if (!s.otherwise.empty()) {
                EXPECT_EQ(refused(kind, others + set(s, s.otherwise)), "") << kind.name << "." << s.name;
            }
            EXPECT_EQ(refused(kind, others).empty(), !s.required) << kind.name << "." << s.name;
            // A choice takes nothing else.
            if (s.type.find(" | ") != std::string::npos) {
                EXPECT_NE(refused(kind, others + set(s, "perhaps")), "") << kind.name << "." << s.name;
            }
        }
        EXPECT_EQ(listed, std::set<std::string>(keys.begin(), keys.end())) << kind.section;
        const std::string unknown = refused(kind, required(kind) + "colour: red");
        EXPECT_NE(unknown.find("colour"), std::string::npos) << unknown;
        EXPECT_NE(unknown.find("x.yaml:"), std::string::npos) << unknown;
    }
}

}  // namespace
}  // namespace porta::connectors
