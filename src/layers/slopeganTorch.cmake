# Finds LibTorch and defines the target `torch`, TORCH_INSTALL_PREFIX and TORCH_INCLUDE_DIRS.
#
# The CMake package of a CUDA build of LibTorch fails without a complete CUDA toolkit. slopegan compiles no CUDA code,
# and the wheel's dependencies provide the libraries at run time, so the target is defined here instead. ARGN: folders to
# search for TorchConfig.cmake, in addition to Torch_DIR and CMAKE_PREFIX_PATH.
macro(slopegan_find_torch)
  set(slopegan_torch_prefix "")
  foreach(place "${Torch_DIR}" ${CMAKE_PREFIX_PATH} ${ARGN})
    foreach(below "" /Torch /share/cmake/Torch)
      if(NOT slopegan_torch_prefix AND EXISTS "${place}${below}/TorchConfig.cmake")
        get_filename_component(slopegan_torch_prefix "${place}${below}/../../.." ABSOLUTE)
      endif()
    endforeach()
  endforeach()
  if(EXISTS "${slopegan_torch_prefix}/lib/libtorch_cuda.so")
    set(TORCH_INSTALL_PREFIX ${slopegan_torch_prefix})
    set(Torch_DIR ${TORCH_INSTALL_PREFIX}/share/cmake/Torch CACHE PATH "The folder with TorchConfig.cmake" FORCE)
    set(TORCH_INCLUDE_DIRS ${TORCH_INSTALL_PREFIX}/include ${TORCH_INSTALL_PREFIX}/include/torch/csrc/api/include)
    if(NOT TARGET torch)
      message(STATUS "LibTorch with CUDA in ${TORCH_INSTALL_PREFIX}, without a CUDA toolkit")
      add_library(torch INTERFACE IMPORTED)
      set_target_properties(torch PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${TORCH_INCLUDE_DIRS}"
                                             INTERFACE_COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_GLOO")
      set(slopegan_torch_libraries "")
      foreach(library torch torch_cpu torch_cuda c10 c10_cuda)
        list(APPEND slopegan_torch_libraries ${TORCH_INSTALL_PREFIX}/lib/lib${library}.so)
      endforeach()
      # --no-as-needed: a device library registers itself when it is loaded, even if none of its symbols is used.
      set_target_properties(torch PROPERTIES INTERFACE_LINK_LIBRARIES
                            "-Wl,--push-state,--no-as-needed;${slopegan_torch_libraries};-Wl,--pop-state;-Wl,--allow-shlib-undefined")
    endif()
  else()
    find_package(Torch REQUIRED HINTS ${ARGN})
  endif()
endmacro()
