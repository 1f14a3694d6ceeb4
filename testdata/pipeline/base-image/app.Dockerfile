ARG BASE=elsewhere/base:latest
FROM ${BASE}
COPY . /app
