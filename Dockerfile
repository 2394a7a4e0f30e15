# Builds an image that contains the slopegan program, its configurations and the example data, but no build tools.
#   docker build -t slopegan .
#   docker run --rm -v "$PWD/outputs:/data/outputs" slopegan train configs/smoke.yaml
#   docker build -t slopegan --build-arg PIP_EXTRA_INDEX_URL=... .     # 4 GB smaller if the index has CPU builds
FROM debian:12 AS build
ARG PIP_EXTRA_INDEX_URL
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates python3
COPY . /slopegan
WORKDIR /slopegan
RUN SLOPEGAN_WERROR=OFF scripts/build.sh release slopegan slopegan_share slopegan_layers && cmake --install build/release --prefix /opt/slopegan
# Copy LibTorch's libraries, and the CUDA libraries if pip installed them. Their paths relative to each other stay the
# same, because the libraries use these paths to find each other.
RUN mkdir -p /opt/torch && cd .venv/lib/python3.11/site-packages && cp -a torch/lib /opt/torch/lib && \
    if [ -d nvidia ]; then cp -a nvidia /opt/nvidia; fi

FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
      libopencv-core406 libopencv-imgproc406 libopencv-imgcodecs406 libspdlog1.10 libyaml-cpp0.7 libgif7 \
      libjpeg62-turbo libpng16-16 libtiff6 libfreetype6 libzip4 libcpp-httplib0.11 dataset-fashion-mnist && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt /opt
ENV LD_LIBRARY_PATH=/opt/torch/lib PATH=/opt/slopegan/bin:$PATH
WORKDIR /data
RUN ln -s /opt/slopegan/share/slopegan/configs configs
ENTRYPOINT ["slopegan"]
