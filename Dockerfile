# The image of every service in docker-compose.yml; what it holds is what the lock says.
FROM python:3.11-slim-bookworm

RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 perennial

WORKDIR /perennial
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY --chown=perennial . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
  && mkdir --parents /data && chown perennial /data

USER perennial
ENV PERENNIAL_HOME=/data
VOLUME /data
