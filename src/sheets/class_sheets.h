#pragma once

#include <cstdint>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "run/checkpoint.h"
#include "sweep/arms.h"

/// Generated images by the class that the data set's classifier sees in them (evaluation/classifier_extractor.h), which
/// is trained where the cache does not have it. Images are the first of their class among those of the run's latents:
/// none is chosen for its looks. Throws UsageError where the data have no labels to learn classes from, DataError where
/// they have gone.
namespace slopegan {

/// Rows = classes: a real image, then `columns` generated ones, with the class's share among generated and real images.
Sheet class_sheet(const Checkpoint& checkpoint, int columns);

/// Rows = slopes below a row of real images, columns = classes; a class that a slope never makes is pale.
Sheet slope_class_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed);

}  // namespace slopegan
