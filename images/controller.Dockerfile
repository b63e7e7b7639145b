# Untested here: this project makes its images without Docker (make images). For those who have it:
#   scripts/stage-image.sh controller build/images/controller
#   docker build -f images/controller.Dockerfile -t registry/prefix/flamegate-controller:dev build/images/controller
FROM scratch
COPY . /
USER 65532:65532
ENV PATH=/usr/local/bin
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/controller/main.mjs"]
