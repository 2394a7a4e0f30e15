include(${CMAKE_CURRENT_LIST_DIR}/slopeganTorch.cmake)
slopegan_find_torch()
include(${CMAKE_CURRENT_LIST_DIR}/slopeganTargets.cmake)
# Link LibTorch's OpenMP runtime instead of a second one.
find_library(SLOPEGAN_GOMP NAMES libgomp.so.1 PATHS ${TORCH_INSTALL_PREFIX}/lib NO_DEFAULT_PATH)
if(SLOPEGAN_GOMP)
  target_link_libraries(slopegan::slopegan_layers INTERFACE ${SLOPEGAN_GOMP})
endif()
