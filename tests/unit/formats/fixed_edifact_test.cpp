#include <gtest/gtest.h>

#include "formats/format.h"

namespace porta::formats {
namespace {

TEST(Fixed, ColumnsSayWhereEachValueStands) {
    auto columns = columnsFrom({"id:4", "-:1", "name:6", "a:b:2"});
    ASSERT_TRUE(columns);
    EXPECT_EQ(**columns, (std::vector<Column>{{"id", 4}, {"", 1}, {"name", 6}, {"a:b", 2}}));
    for (const char* wrong : {"id", ":4", "id:", "id:0", "id:x", "id:-1", "id:1000000", "id:4x"})
        EXPECT_EQ(columnsFrom({wrong}).error().code, Errc::misconfigured) << wrong;
    EXPECT_FALSE(columnsFrom({"id:1", "id:2"}));
    EXPECT_TRUE(columnsFrom({"-:1", "-:2"}));
}

TEST(Fixed, NamesLiveAsLongAsTheColumns) {
    Settings settings;
    settings.kind = Kind::fixed;
    settings.columns = *columnsFrom({"a-name-that-is-kept-on-the-heap:2"});
    NodeTree tree;
    {
        Settings copy = settings;
        ASSERT_TRUE(parse(copy, "xy", {}, tree));
    }
    EXPECT_EQ(tree[1].name, "a-name-that-is-kept-on-the-heap");
    settings.columns = nullptr;
    EXPECT_EQ(parse(settings, "xy", {}, tree).error().code, Errc::misconfigured);
}

TEST(Edifact, ASimpleElementIsItsFirstComponent) {
    const std::string_view object = "UNB+UNOC:3+S+R+240502:1015+I'UNH+1+A:D'BGM+380+7'UNT+3+1'UNZ+1+I'";
    Settings settings;
    settings.kind = Kind::edifact;
    auto units = split(settings, object);
    ASSERT_TRUE(units);
    ASSERT_EQ(units->units.size(), 1u);
    const std::string_view raw = object.substr(units->units[0].offset, units->units[0].length);
    NodeTree tree;
    ASSERT_TRUE(parse(settings, raw, units->context, tree));
    const NodeId element = tree.child(tree.child(tree.root(), "BGM"), "f1");
    ASSERT_NE(element, kNoNode);
    EXPECT_EQ(tree.child(element, "c1"), element);
    EXPECT_EQ(tree.child(element, "c2"), kNoNode);
    EXPECT_EQ(raw.substr(tree[element].span.offset, tree[element].span.length), "380");
}

}  // namespace
}  // namespace porta::formats
