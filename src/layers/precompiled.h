// The precompiled header of all files that use LibTorch. Parsing LibTorch's headers dominates their build time.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>
