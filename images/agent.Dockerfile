# Untested here: this project makes its images without Docker (make images). For those who have it:
#   scripts/stage-image.sh agent build/images/agent
#   docker build -f images/agent.Dockerfile -t registry/prefix/flamegate-agent:dev build/images/agent
FROM scratch
COPY . /
# root inside, with the few capabilities that the DaemonSet grants
USER 0:0
ENV PATH=/usr/local/bin
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/agent/main.mjs"]
