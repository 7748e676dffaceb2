#include "identity/national_id.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace porta::identity {
namespace {

TEST(NationalId, agreesWithEverySampleValue) {
    const char* root = std::getenv("PORTA_DATA");
    const std::string path = (root ? std::string(root) : std::string(PORTA_ROOT "/../shared/data")) +
                             "/identity/national_ids/national_ids.csv";
    std::ifstream in(path);
    if (!in) {
        const char* ci = std::getenv("CI");
        if (ci && std::string(ci) == "true") FAIL() << "sample data missing";
        GTEST_SKIP() << "sample data missing";
    }
    std::string line;
    std::getline(in, line);
    std::size_t rows = 0;
    while (std::getline(in, line)) {
        std::istringstream cells(line);
        std::string type, value, valid, why;
        std::getline(cells, type, ',');
        std::getline(cells, value, ',');
        std::getline(cells, valid, ',');
        std::getline(cells, why, ',');
        ++rows;
        const IdState state = checkId(type, value).state;
        EXPECT_EQ(state == IdState::valid, valid == "1")
            << "line " << rows + 1 << " " << type << " " << name(state) << " " << why;
    }
    EXPECT_EQ(rows, 1484U);
}

struct Case {
    std::string_view type, value, birth_date, sex, state;
};

TEST(NationalId, statesAndContradictions) {
    const Case cases[] = {
        {"ES-DNI", "00000000T", "", "", "placeholder"},
        {"ES-DNI", "99999999R", "", "", "placeholder"},
        {"ES-DNI", "12345678Z", "", "", "test"},
        {"ES-DNI", "12345678-a", "", "", "checksum"},
        {"ES-NIE", "X0000000T", "", "", "placeholder"},
        {"NL-BSN", "999999999", "", "", "placeholder"},
        {"NL-BSN", "000000000", "", "", "placeholder"},
        {"GB-NHS", "999 000 0018", "", "", "test"},
        {"UK-NHS", "943 476 5919", "", "", "valid"},
        {"IT-CF", "RSSMRA85T10A562S", "1985-12-10", "male", "valid"},
        {"IT-CF", "rssmra85t10a562s", "1985-12-11", "male", "contradicts"},
        {"IT-CF", "RSSMRA85T10A562S", "1985-12", "", "valid"},
        {"IT-CF", "RSSMRA85T10A562S", "1885", "", "valid"},  // the century is not in the number
        {"IT-CF", "RSSMRA85T10A562S", "", "female", "contradicts"},
        {"IT-CF", "RSSMRA85T10A562S", "", "unknown", "valid"},
        {"DE-RVNR", "15070649C103", "1949-06-07", "male", "valid"},
        {"DE-RVNR", "65170839J003", "", "female", "contradicts"},
        {"PL-PESEL", "44051401359", "1944-05-14", "male", "valid"},
        {"PL-PESEL", "44051401359", "2044-05-14", "male", "contradicts"},
        {"XX-ID", "1", "", "", "unknown-type"},
        {"IT-CF", "", "", "", "malformed"},
        {"PT-NIF", "12A", "", "", "malformed"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(name(checkId(c.type, c.value, c.birth_date, c.sex).state), c.state)
            << c.type << " " << c.value << " " << c.birth_date;
}

TEST(NationalId, saysBirthDateOnlyWhenTheCenturyIsCertain) {
    EXPECT_EQ(checkId("PL-PESEL", "44051401359").birth_date, "1944-05-14");
    EXPECT_EQ(checkId("BE-NISS", "85.07.30-033 28").birth_date, "1985-07-30");
    EXPECT_EQ(checkId("BE-NISS", "85073003328").sex, "male");
    EXPECT_EQ(checkId("IT-CF", "RSSMRA85T10A562S").birth_date, "");
    EXPECT_EQ(checkId("IT-CF", "RSSMRA85T10A562S").sex, "male");
}

}  // namespace
}  // namespace porta::identity
