FROM registry.example.com/tools:2 AS tools
FROM python:3.12-slim
COPY --from=tools /usr/local /usr/local
