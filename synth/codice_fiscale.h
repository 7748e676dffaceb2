#pragma once
/// The Italian fiscal code of an invented person (D.M. 23 December 1976).
#include <string>

namespace porta::synth {

/// Names in plain capital or small ASCII letters; place is a cadastral code such as H501.
std::string codiceFiscale(const std::string& family, const std::string& given, int year, int month, int day, bool male,
                          const std::string& place);

}  // namespace porta::synth
