#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "statistics/findings.h"

/// The recommendation of a sweep in one short statement. A difference is claimed only if it is significant. ASCII only.
namespace slopegan {

/// The maximum length of a recommendation.
inline constexpr std::size_t most_recommendation_words = 25;

/// One recommendation of at most most_recommendation_words words: "Use a slope between 0 and 0.1. 0.2 is 10 to 17 %
/// worse, 0.5 about twice as bad, 1 useless." If nothing can be recommended, the text states the reason and, if there
/// are too few seeds, the number needed. Percentages compare the estimates with those of the recommended slopes; the FD
/// of a "useless" slope is at least about 5 times as high.
std::string recommendation(const Findings& findings);

/// The recommended slopes; empty if there are none. None of them is shown to be worse than any other slope.
std::vector<double> recommended_slopes(const Findings& findings);

/// One sentence per slope. If several slopes are recommended, a final sentence states that they do not differ
/// detectably from each other.
std::vector<std::string> finding_sentences(const Findings& findings);

}  // namespace slopegan
