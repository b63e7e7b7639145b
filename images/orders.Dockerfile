# Untested here: this project makes its images without Docker (make images). For those who have it, jdk17 alike:
#   scripts/stage-image.sh orders-jdk25 build/images/orders-jdk25
#   docker build -f images/orders.Dockerfile -t registry/prefix/flamegate-orders:jdk25 build/images/orders-jdk25
FROM scratch
COPY . /
USER 65532:65532
ENV PATH=/opt/java/bin
ENV JAVA_HOME=/opt/java
ENV HOST=0.0.0.0
ENTRYPOINT ["/opt/java/bin/java", "-jar", "/app/orders.jar"]
