// What the files of a directory promise: order, nothing half-written, and when a file is offered again.
#include "connectors/files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace porta::connectors {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "porta_files_XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }

    std::string write(const std::string& name, const std::string& bytes) {
        fs::path path = root_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << bytes;
        return path.string();
    }
    FilesSource source(const std::string& on_done = "keep", const std::string& pattern = "*",
                       std::uint64_t most = 1 << 20) {
        return FilesSource({root_.string(), pattern, on_done, most});
    }
    /// One pass in which everything is committed: names and bytes; `!code` for an object that is refused.
    std::vector<std::string> pass(FilesSource& source) {
        std::vector<std::string> got;
        while (true) {
            auto object = source.poll();
            if (!object) {
                got.push_back("!" + std::string(name(object.error().code)));
                if (object.error().code == Errc::unavailable) return got;
                continue;
            }
            if (!*object) return got;
            got.push_back(fs::path((*object)->path).lexically_relative(root_).string() + "=" + (*object)->bytes);
            EXPECT_TRUE(source.commit(**object).has_value());
        }
    }
    using Names = std::vector<std::string>;
    fs::path root_;
};

TEST_F(Files, comeInTheOrderOfTheirNames) {
    for (const char* name : {"b.csv", "a.csv", "sub/c.csv", "10.csv", "9.csv"}) write(name, "x");
    auto files = source();
    EXPECT_EQ(pass(files), (Names{"10.csv=x", "9.csv=x", "a.csv=x", "b.csv=x", "sub/c.csv=x"}));
}

TEST_F(Files, onlyWhatThePatternsName) {
    for (const char* name : {"a.csv", "b.hl7", "c.csv.gz", "d.txt"}) write(name, "x");
    auto files = source("keep", "*.csv *.hl7");
    EXPECT_EQ(pass(files), (Names{"a.csv=x", "b.hl7=x"}));
}

TEST_F(Files, aDirectoryThatIsMissingIsEmptyAndOneFileIsEnough) {
    FilesSource missing({.path = (root_ / "none").string()});
    EXPECT_EQ(pass(missing), Names{});
    FilesSource one({.path = write("a.csv", "x")});
    EXPECT_EQ(pass(one), Names{"a.csv=x"});
    EXPECT_EQ(pass(one), Names{});
}

TEST_F(Files, namesOfUnfinishedFilesAreLeftAlone) {
    for (const char* name : {"a.csv.tmp", "b.csv.part", ".c.csv", "d.csv"}) write(name, "x");
    auto files = source();
    EXPECT_EQ(pass(files), Names{"d.csv=x"});
    fs::rename(root_ / "a.csv.tmp", root_ / "a.csv");
    EXPECT_EQ(pass(files), Names{"a.csv=x"});
}

TEST_F(Files, aFileThatGrowsWhileItIsReadIsLeftAloneUntilItStops) {
    // Holes make it slow to read and quick to make; the writer goes on until it was left alone once.
    const std::string path = write("a.csv", "");
    fs::resize_file(path, 64u << 20);
    write("b.csv", "x");
    auto files = source("keep", "*", 1u << 30);
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        for (std::ofstream out(path, std::ios::app); !stop;) out << "y" << std::flush;
    });
    bool left_alone = false;
    for (int tries = 0; tries < 50 && !left_alone; ++tries) {
        auto object = files.poll();
        ASSERT_TRUE(object.has_value() && *object);
        left_alone = (*object)->path.ends_with("b.csv");
        // What comes out whole in spite of the writer is not answered, and so the pass starts over.
    }
    stop = true;
    writer.join();
    EXPECT_TRUE(left_alone);
    auto object = files.poll();
    ASSERT_TRUE(object.has_value() && *object);
    EXPECT_TRUE((*object)->path.ends_with("a.csv"));
    EXPECT_EQ((*object)->bytes.size(), fs::file_size(path));
}

TEST_F(Files, keptFilesAreReadAgainOnlyWhenTheyChanged) {
    write("a.csv", "one");
    write("b.csv", "x");
    auto files = source();
    EXPECT_EQ(pass(files), (Names{"a.csv=one", "b.csv=x"}));
    EXPECT_EQ(pass(files), Names{});
    write("a.csv", "other");
    EXPECT_EQ(pass(files), Names{"a.csv=other"});
    EXPECT_TRUE(fs::exists(root_ / "b.csv"));
}

TEST_F(Files, movedFilesLieWhereTheyAreSentAndAreNotOfferedThere) {
    write("a.csv", "x");
    auto files = source("move:done");
    EXPECT_EQ(pass(files), Names{"a.csv=x"});
    EXPECT_FALSE(fs::exists(root_ / "a.csv"));
    EXPECT_TRUE(fs::exists(root_ / "done/a.csv"));
    EXPECT_EQ(pass(files), Names{});
    auto again = source("move:done");
    EXPECT_EQ(pass(again), Names{});
    write("a.csv", "x");
    EXPECT_EQ(pass(files), Names{"a.csv=x"});
}

TEST_F(Files, deletedFilesAreGone) {
    write("a.csv", "x");
    auto files = source("delete");
    EXPECT_EQ(pass(files), Names{"a.csv=x"});
    EXPECT_FALSE(fs::exists(root_ / "a.csv"));
}

TEST_F(Files, nothingIsMovedOrDeletedBeforeItIsCommitted) {
    for (const char* on_done : {"move:done", "delete"}) {
        write("a.csv", "x");
        auto files = source(on_done);
        ASSERT_TRUE(files.poll().has_value());
        EXPECT_TRUE(fs::exists(root_ / "a.csv")) << on_done;
    }
}

TEST_F(Files, aFileThatIsTooLargeIsRefusedOnceAndTheNextStillCome) {
    write("a.csv", std::string(100, 'x'));
    write("b.csv", "x");
    auto files = source("delete", "*", 10);
    EXPECT_EQ(pass(files), (Names{"!exhausted", "b.csv=x"}));
    EXPECT_TRUE(fs::exists(root_ / "a.csv"));
    EXPECT_EQ(pass(files), Names{});
    write("a.csv", "short");
    EXPECT_EQ(pass(files), Names{"a.csv=short"});
}

TEST_F(Files, aRefusedFileStaysAndIsOfferedAgainOnlyWhenItChanged) {
    write("a.csv", "bad");
    write("b.csv", "x");
    auto files = source("delete");
    auto object = files.poll();
    ASSERT_TRUE(object.has_value() && *object);
    files.refuse(**object);
    EXPECT_EQ(pass(files), Names{"b.csv=x"});
    EXPECT_TRUE(fs::exists(root_ / "a.csv"));
    EXPECT_EQ(pass(files), Names{});
    write("a.csv", "mended");
    EXPECT_EQ(pass(files), Names{"a.csv=mended"});
}

TEST_F(Files, anObjectWithoutAnAnswerIsOfferedAgainBeforeAnyOther) {
    write("a.csv", "x");
    write("b.csv", "y");
    auto files = source();
    ASSERT_TRUE(files.poll().has_value());
    EXPECT_EQ(pass(files), (Names{"a.csv=x", "b.csv=y"}));
}

TEST_F(Files, aFileThatCannotBeMovedIsOfferedAgain) {
    write("a.csv", "x");
    write("blocked", "a file where the directory should be");
    auto files = source("move:blocked", "*.csv");
    auto object = files.poll();
    ASSERT_TRUE(object.has_value() && *object);
    auto done = files.commit(**object);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Errc::unavailable);
    fs::remove(root_ / "blocked");
    EXPECT_EQ(pass(files), Names{"a.csv=x"});
    EXPECT_TRUE(fs::exists(root_ / "blocked/a.csv"));
}

TEST_F(Files, onlyTheFileInHandIsCommitted) {
    write("a.csv", "x");
    auto files = source("delete");
    ASSERT_TRUE(files.poll().has_value());
    EXPECT_FALSE(files.commit({(root_ / "b.csv").string(), ""}).has_value());
    EXPECT_TRUE(fs::exists(root_ / "a.csv"));
}

TEST_F(Files, oneFileByName) {
    EXPECT_EQ(*readFile(write(".a.tmp", "x"), 10), "x");
    EXPECT_EQ(readFile((root_ / "none").string(), 10).error().code, Errc::unavailable);
    EXPECT_EQ(readFile(root_.string(), 10).error().code, Errc::unavailable);
    EXPECT_EQ(readFile(write("b", "long"), 3).error().code, Errc::exhausted);
}

}  // namespace
}  // namespace porta::connectors
