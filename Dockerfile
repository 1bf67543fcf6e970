# Asterisk and the service in one image, by the same set-up a checkout uses; `cti up` supervises both.
FROM debian:13-slim

ENV LANG=C.UTF-8 \
    CTI_ASTERISK_PREFIX=/opt/asterisk-private \
    CTI_HOME=/var/lib/hotline12345

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates procps python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/hotline12345

# Asterisk in a layer of its own: it changes seldom
COPY setup/words.sh setup/asterisk.sh setup/
RUN setup/asterisk.sh

COPY . .
RUN setup/all.sh

VOLUME /var/lib/hotline12345
STOPSIGNAL SIGINT
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 CMD ["cti", "doctor"]
ENTRYPOINT ["cti"]
CMD ["up", "--plan", "plans/demo"]
