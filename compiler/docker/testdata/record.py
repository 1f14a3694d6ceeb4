"""Records what the real build_docker_image and push_docker_image ask of Docker for many inputs.

Nothing of Prefect, prefect-docker, docker-py or python-on-whales is replaced: the engine is a small server on loopback that answers as one does and notes each request, and
`docker` on PATH is a program that notes its words. Only the clock stands still. Run with the Python of an environment that holds Prefect 3.8.8; it writes golden.json into
the folder that it is given (its own by default). The build-tagged test TestRecordedIsReal runs it into another folder and fails on any difference.
"""

import io
import json
import os
import re
import sys
import tarfile
import tempfile
import threading
from contextlib import nullcontext
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

ID = "sha256:" + "5" * 64
NOW = datetime(2026, 11, 24, 1, 2, 3, 45, timezone.utc)

# name: (inputs, what else differs). Every case runs in a fresh folder `project` that holds Dockerfile, app/Dockerfile, docker/Dockerfile.dev and requirements.txt; beside
# it stands Dockerfile.out.
BUILD = {
    "plain": {"image_name": "app"},
    "tag": {"image_name": "app", "tag": "v1"},
    "tag-empty": {"image_name": "app", "tag": ""},
    "tag-null": {"image_name": "app", "tag": None},
    "tag-int": {"image_name": "app", "tag": 7},
    "tag-zero": {"image_name": "app", "tag": 0},
    "tag-float": {"image_name": "app", "tag": 1.10},
    "tag-true": {"image_name": "app", "tag": True},
    "tag-list": {"image_name": "app", "tag": ["v1"]},
    "time-without-microseconds": ({"image_name": "app"}, {"now": 0}),
    "time-late": ({"image_name": "app"}, {"now": 999999}),
    "image-tag": {"image_name": "app", "image_tag": "v1"},
    "namespace-own": {"image_name": "team/app", "tag": "v1"},
    "namespace-default": ({"image_name": "app", "tag": "v1"}, {"namespace": "team"}),
    "namespace-default-unused": ({"image_name": "other/app", "tag": "v1"}, {"namespace": "team"}),
    "namespace-registry": ({"image_name": "app", "tag": "v1"}, {"namespace": "registry.example.com/team"}),
    "registry": {"image_name": "registry.example.com/team/app", "tag": "v1"},
    "registry-port": {"image_name": "localhost:5000/app", "tag": "v1"},
    "registry-two-parts": ({"image_name": "registry.example.com/app", "tag": "v1"}, {"namespace": "team"}),
    "registry-deep": {"image_name": "registry.example.com/a/b/c/app", "tag": "v1"},
    "name-leading-slash": ({"image_name": "/app", "tag": "v1"}, {"namespace": "team"}),
    "name-trailing-slash": {"image_name": "team/", "tag": "v1"},
    "name-space": {"image_name": "my app"},
    "name-newline": {"image_name": "app\n"},
    "name-empty": {"image_name": ""},
    "name-null": {"image_name": None},
    "name-missing": {"tag": "v1"},
    "name-number": {"image_name": 5},
    "name-with-tag": {"image_name": "team/app:v1", "tag": "v2"},
    "name-upper": {"image_name": "Team/App", "tag": "v1"},
    "additional-tags": {"image_name": "app", "tag": "v1", "additional_tags": ["latest", "2026"]},
    "additional-tags-numbers": {"image_name": "app", "tag": "v1", "additional_tags": [1, 2.5]},
    "additional-tags-empty": {"image_name": "app", "tag": "v1", "additional_tags": []},
    "additional-tags-null": {"image_name": "app", "tag": "v1", "additional_tags": None},
    "additional-tags-text": {"image_name": "app", "tag": "v1", "additional_tags": "ab"},
    "additional-tags-null-inside": {"image_name": "app", "tag": "v1", "additional_tags": [None]},
    "ignore-cache": {"image_name": "app", "tag": "v1", "ignore_cache": True},
    "dockerfile": {"image_name": "app", "tag": "v1", "dockerfile": "docker/Dockerfile.dev"},
    "dockerfile-dot": {"image_name": "app", "tag": "v1", "dockerfile": "./docker/Dockerfile.dev"},
    "dockerfile-outside": {"image_name": "app", "tag": "v1", "dockerfile": "../Dockerfile.out"},
    "dockerfile-empty": {"image_name": "app", "tag": "v1", "dockerfile": ""},
    "dockerfile-null": {"image_name": "app", "tag": "v1", "dockerfile": None},
    "auto": ({"image_name": "app", "tag": "v1", "dockerfile": "auto"}, {"bare": True}),
    "auto-requirements": ({"image_name": "app", "tag": "v1", "dockerfile": "auto"}, {"bare": True, "requirements": True}),
    "auto-there-is-one": {"image_name": "app", "tag": "v1", "dockerfile": "auto"},
    "auto-persist": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "persist_dockerfile": True}, {"bare": True}),
    "auto-persist-path": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "persist_dockerfile": True, "dockerfile_output_path": "app/D"}, {"bare": True}),
    "auto-persist-empty": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "persist_dockerfile": True, "dockerfile_output_path": ""}, {"bare": True}),
    "auto-output-path-alone": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "dockerfile_output_path": "D"}, {"bare": True}),
    "auto-path": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "path": "app"}, {"bare": True}),
    "auto-path-dot": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "path": "."}, {"bare": True}),
    "auto-buildx": ({"image_name": "app", "tag": "v1", "dockerfile": "auto", "build_backend": "buildx"}, {"bare": True, "requirements": True}),
    "persist-without-auto": {"image_name": "app", "tag": "v1", "persist_dockerfile": True},
    "path": {"image_name": "app", "tag": "v1", "path": "app"},
    "path-dot": {"image_name": "app", "tag": "v1", "path": "./app/"},
    "path-dockerfile": {"image_name": "app", "tag": "v1", "path": "app", "dockerfile": "../docker/Dockerfile.dev"},
    "path-missing": {"image_name": "app", "tag": "v1", "path": "nowhere"},
    "path-null": {"image_name": "app", "tag": "v1", "path": None},
    "path-empty": {"image_name": "app", "tag": "v1", "path": ""},
    "path-git": {"image_name": "app", "tag": "v1", "path": "https://git.example.com/team/app.git#main:sub"},
    "path-git-dockerfile": {"image_name": "app", "tag": "v1", "path": "git@git.example.com:team/app.git", "dockerfile": "docker/D"},
    "buildargs": {"image_name": "app", "tag": "v1", "buildargs": {"B": "2", "A": "a b,c=\"d\""}},
    "buildargs-null": {"image_name": "app", "tag": "v1", "buildargs": None},
    "buildargs-number": {"image_name": "app", "tag": "v1", "buildargs": {"A": 1}},
    "buildargs-null-value": {"image_name": "app", "tag": "v1", "buildargs": {"A": None}},
    "buildargs-list": {"image_name": "app", "tag": "v1", "buildargs": ["A=1"]},
    "labels": {"image_name": "app", "tag": "v1", "labels": {"team": "data", "a.b": "c d"}},
    "labels-over": {"image_name": "app", "tag": "v1", "labels": {"io.prefect.version": "mine", "z": "1"}},
    "labels-null": {"image_name": "app", "tag": "v1", "labels": None},
    "labels-list": {"image_name": "app", "tag": "v1", "labels": ["a"]},
    "target": {"image_name": "app", "tag": "v1", "target": "dev"},
    "target-null": {"image_name": "app", "tag": "v1", "target": None},
    "target-number": {"image_name": "app", "tag": "v1", "target": 0},
    "platform": {"image_name": "app", "tag": "v1", "platform": "linux/arm64"},
    "platform-short": {"image_name": "app", "tag": "v1", "platform": "amd64"},
    "platform-null": {"image_name": "app", "tag": "v1", "platform": None},
    "platforms-docker-py": {"image_name": "app", "tag": "v1", "platforms": ["linux/arm64"]},
    "nocache": {"image_name": "app", "tag": "v1", "nocache": True},
    "nocache-text": {"image_name": "app", "tag": "v1", "nocache": "False"},
    "nocache-zero": {"image_name": "app", "tag": "v1", "nocache": 0},
    "pull-false": {"image_name": "app", "tag": "v1", "pull": False},
    "pull-text": {"image_name": "app", "tag": "v1", "pull": "no"},
    "pull-null": {"image_name": "app", "tag": "v1", "pull": None},
    "push": {"image_name": "app", "tag": "v1", "push": True},
    "push-false": {"image_name": "app", "tag": "v1", "push": False},
    "transport": {"image_name": "app", "tag": "v1", "rm": True, "forcerm": True, "gzip": True, "decode": False},
    "quiet-false": {"image_name": "app", "tag": "v1", "quiet": False},
    "network-mode": {"image_name": "app", "tag": "v1", "network_mode": "host"},
    "network-mode-own": {"image_name": "app", "tag": "v1", "network_mode": "mine"},
    "network-mode-none": {"image_name": "app", "tag": "v1", "network_mode": "none"},
    "extra-hosts": {"image_name": "app", "tag": "v1", "extra_hosts": {"b.example.com": "10.0.0.2", "a.example.com": "10.0.0.1"}},
    "extra-hosts-list": {"image_name": "app", "tag": "v1", "extra_hosts": ["b:10.0.0.2", "a:10.0.0.1"]},
    "extra-hosts-empty": {"image_name": "app", "tag": "v1", "extra_hosts": {}},
    "shmsize": {"image_name": "app", "tag": "v1", "shmsize": 134217728},
    "shmsize-zero": {"image_name": "app", "tag": "v1", "shmsize": 0},
    "cache-from": {"image_name": "app", "tag": "v1", "cache_from": ["team/app:latest", "team/base"]},
    "cache-from-empty": {"image_name": "app", "tag": "v1", "cache_from": []},
    "squash": {"image_name": "app", "tag": "v1", "squash": True},
    "squash-false": {"image_name": "app", "tag": "v1", "squash": False},
    "isolation-default": {"image_name": "app", "tag": "v1", "isolation": "default"},
    "container-limits": {"image_name": "app", "tag": "v1", "container_limits": {"memory": 1000000}},
    "container-limits-empty": {"image_name": "app", "tag": "v1", "container_limits": {}},
    "container-limits-wrong": {"image_name": "app", "tag": "v1", "container_limits": {"disk": 1}},
    "use-config-proxy": {"image_name": "app", "tag": "v1", "use_config_proxy": True},
    "no-config-proxy": {"image_name": "app", "tag": "v1", "use_config_proxy": False},
    "timeout": {"image_name": "app", "tag": "v1", "timeout": 30},
    "gzip-and-encoding": {"image_name": "app", "tag": "v1", "gzip": True, "encoding": "gzip"},
    "fileobj": {"image_name": "app", "tag": "v1", "fileobj": "Dockerfile"},
    "custom-context": {"image_name": "app", "tag": "v1", "custom_context": True},
    "stream-progress-to": {"image_name": "app", "tag": "v1", "stream_progress_to": "x"},
    "credentials": {"image_name": "app", "tag": "v1", "credentials": {"username": "u"}},
    "unknown": {"image_name": "app", "tag": "v1", "cpu": 1},
    "backend-docker-py": {"image_name": "app", "tag": "v1", "build_backend": "docker-py"},
    "backend-wrong": {"image_name": "app", "tag": "v1", "build_backend": "podman"},
    "buildx": {"image_name": "app", "tag": "v1", "additional_tags": ["latest"]},
    "buildx-path": {"image_name": "app", "tag": "v1", "path": "./app/", "dockerfile": "../docker/Dockerfile.dev"},
    "buildx-path-missing": {"image_name": "app", "tag": "v1", "path": "nowhere"},
    "buildx-path-git": {"image_name": "app", "tag": "v1", "path": "https://git.example.com/team/app.git"},
    "buildx-dockerfile-null": {"image_name": "app", "tag": "v1", "dockerfile": None},
    "buildx-file": {"image_name": "app", "tag": "v1", "file": "docker/Dockerfile.dev"},
    "buildx-args": {"image_name": "app", "tag": "v1", "build_args": {"B": 2, "A": "a b,c=\"d\"", "T": True, "N": None}},
    "buildx-buildargs": {"image_name": "app", "tag": "v1", "buildargs": {"A": "1"}},
    "buildx-labels": {"image_name": "app", "tag": "v1", "labels": {"n": 1, "io.prefect.version": "x", "m": "2"}},
    "buildx-labels-null": {"image_name": "app", "tag": "v1", "labels": None},
    "buildx-target": {"image_name": "app", "tag": "v1", "target": "dev"},
    "buildx-platform": {"image_name": "app", "tag": "v1", "platform": "linux/arm64"},
    "buildx-platforms": {"image_name": "app", "tag": "v1", "platforms": ["linux/amd64", "linux/arm64"], "push": True},
    "buildx-platforms-unpushed": {"image_name": "app", "tag": "v1", "platforms": ["linux/amd64", "linux/arm64"]},
    "buildx-platforms-over": {"image_name": "app", "tag": "v1", "platform": "linux/386", "platforms": ["linux/arm64"]},
    "buildx-platforms-empty": {"image_name": "app", "tag": "v1", "platform": "linux/386", "platforms": []},
    "buildx-push": {"image_name": "app", "tag": "v1", "push": True},
    "buildx-push-load": {"image_name": "app", "tag": "v1", "push": True, "load": True},
    "buildx-pull-false": {"image_name": "app", "tag": "v1", "pull": False},
    "buildx-pull-text": {"image_name": "app", "tag": "v1", "pull": "no"},
    "buildx-cache": {"image_name": "app", "tag": "v1", "cache": False},
    "buildx-nocache": {"image_name": "app", "tag": "v1", "nocache": True},
    "buildx-secrets": {"image_name": "app", "tag": "v1", "secrets": ["id=aws,src=aws/credentials", "id=token,env=TOKEN"]},
    "buildx-secrets-text": {"image_name": "app", "tag": "v1", "secrets": "id=aws,src=aws.txt"},
    "buildx-ssh": {"image_name": "app", "tag": "v1", "ssh": "default"},
    "buildx-cache-from": {"image_name": "app", "tag": "v1", "cache_from": "team/app:cache", "cache_to": "type=inline"},
    "buildx-cache-mappings": {"image_name": "app", "tag": "v1", "cache_from": [{"type": "gha", "scope": "a"}, {"type": "local", "src": "x"}],
                              "cache_to": {"type": "local", "dest": "x", "mode": "max"}},
    "buildx-network": {"image_name": "app", "tag": "v1", "network": "host", "allow": ["network.host"], "add_hosts": {"b": "10.0.0.2", "a": "10.0.0.1"}},
    "buildx-contexts": {"image_name": "app", "tag": "v1", "build_contexts": {"lib": "../lib", "base": "docker-image://alpine:3"}},
    "buildx-output": {"image_name": "app", "tag": "v1", "output": {"type": "oci", "dest": "image.tar"}},
    "buildx-output-docker": {"image_name": "app", "tag": "v1", "output": {"type": "docker"}},
    "buildx-attest": {"image_name": "app", "tag": "v1", "provenance": False, "sbom": True, "attest": {"type": "sbom", "generator": "x"}},
    "buildx-provenance": {"image_name": "app", "tag": "v1", "provenance": {"mode": "max"}, "push": True},
    "buildx-builder": {"image_name": "app", "tag": "v1", "builder": "mine", "progress": "plain", "metadata_file": "m.json"},
    "buildx-quiet": {"image_name": "app", "tag": "v1", "progress": False},
    "buildx-stream": {"image_name": "app", "tag": "v1", "stream_logs": True, "progress": "plain"},
    "buildx-tags": {"image_name": "app", "tag": "v1", "tags": ["x"]},
    "buildx-unknown": {"image_name": "app", "tag": "v1", "cpu": 1},
    "buildx-stream-progress-to": {"image_name": "app", "tag": "v1", "stream_progress_to": "x"},
    "buildx-default-tag": {"image_name": "app"},
}

PUSH = {
    "plain": {"image_name": "app"},
    "tag": {"image_name": "team/app", "tag": "v1"},
    "tag-empty": {"image_name": "team/app", "tag": ""},
    "tag-float": {"image_name": "team/app", "tag": 1.5},
    "namespace": ({"image_name": "app", "tag": "v1"}, {"namespace": "team"}),
    "registry": {"image_name": "localhost:5000/team/app", "tag": "v1", "additional_tags": ["latest", 2]},
    "additional-alone": {"image_name": "team/app", "additional_tags": ["latest"]},
    "additional-text": {"image_name": "team/app", "tag": "v1", "additional_tags": "ab"},
    "additional-empty": {"image_name": "team/app", "tag": "v1", "additional_tags": []},
    "name-with-tag": {"image_name": "team/app:v1"},
    "name-with-tag-and-port": {"image_name": "localhost:5000/app:v1"},
    "name-space": {"image_name": "my app"},
    "name-missing": {"tag": "v1"},
    "credentials": {"image_name": "registry.example.com/app", "tag": "v1",
                    "credentials": {"username": "u", "password": "p", "registry_url": "registry.example.com", "reauth": True, "other": 1}},
    "credentials-hub": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u", "password": "p"}},
    "credentials-null": {"image_name": "team/app", "tag": "v1", "credentials": None},
    "credentials-text": {"image_name": "team/app", "tag": "v1", "credentials": "u:p"},
    "ignore-cache": {"image_name": "team/app", "tag": "v1", "ignore_cache": True},
    "unknown": {"image_name": "team/app", "tag": "v1", "registry": "x"},
    "image-tag": {"image_name": "team/app", "image_tag": "v1"},
    "backend-wrong": {"image_name": "team/app", "tag": "v1", "build_backend": "podman"},
    "buildx": {"image_name": "app", "build_backend": "buildx"},
    "buildx-tags": {"image_name": "team/app", "tag": "v1", "additional_tags": ["latest"], "build_backend": "buildx"},
    "buildx-credentials": {"image_name": "registry.example.com/app", "tag": "v1", "build_backend": "buildx",
                           "credentials": {"username": "u", "password": "p", "registry_url": "registry.example.com"}},
    "tag-null": {"image_name": "team/app", "tag": None},
    "tag-int": {"image_name": "team/app", "tag": 7},
    "tag-zero": {"image_name": "team/app", "tag": 0},
    "tag-true": {"image_name": "team/app", "tag": True},
    "tag-list": {"image_name": "team/app", "tag": ["v1"]},
    "tag-mapping": {"image_name": "team/app", "tag": {"v": 1}},
    "tag-space": {"image_name": "team/app", "tag": "v 1"},
    "tag-quote": {"image_name": "team/app", "tag": "v'1\""},
    "tag-newline": {"image_name": "team/app", "tag": "v1\n"},
    "tag-dollar": {"image_name": "team/app", "tag": "$(id)"},
    "tag-unicode": {"image_name": "team/app", "tag": "vé"},
    "tag-dash": {"image_name": "team/app", "tag": "-v1"},
    "tag-dot": {"image_name": "team/app", "tag": ".v1"},
    "tag-colon": {"image_name": "team/app", "tag": "v1:x"},
    "tag-longest": {"image_name": "team/app", "tag": "v" * 128},
    "tag-too-long": {"image_name": "team/app", "tag": "v" * 129},
    "tag-underscore": {"image_name": "team/app", "tag": "_A.b-9"},
    "name-null": {"image_name": None, "tag": "v1"},
    "name-empty": {"image_name": "", "tag": "v1"},
    "name-number": {"image_name": 5, "tag": "v1"},
    "name-list": {"image_name": ["app"], "tag": "v1"},
    "name-upper": {"image_name": "Team/App", "tag": "v1"},
    "name-unicode": {"image_name": "team/äpp", "tag": "v1"},
    "name-newline": {"image_name": "team/app\n", "tag": "v1"},
    "name-dollar": {"image_name": "team/$(id)", "tag": "v1"},
    "name-dash": {"image_name": "--all-tags", "tag": "v1"},
    "name-dots": {"image_name": "../team/app", "tag": "v1"},
    "name-leading-slash": ({"image_name": "/app", "tag": "v1"}, {"namespace": "team"}),
    "name-trailing-slash": {"image_name": "team/", "tag": "v1"},
    "name-with-tag-and-tag": {"image_name": "team/app:v1", "tag": "v2"},
    "name-with-tag-and-additional": {"image_name": "team/app:v1", "additional_tags": ["latest"]},
    "name-with-digest": {"image_name": "team/app@sha256:" + "a" * 64},
    "name-separators": {"image_name": "registry.example.com:443/a-b/c__d/e.f", "tag": "v1"},
    "name-deep": {"image_name": "registry.example.com/a/b/c/d/e/app", "tag": "v1"},
    "namespace-registry": ({"image_name": "app", "tag": "v1"}, {"namespace": "registry.example.com/team"}),
    "namespace-slash": ({"image_name": "app", "tag": "v1"}, {"namespace": "team/"}),
    "namespace-unused": ({"image_name": "other/app", "tag": "v1"}, {"namespace": "team"}),
    "additional-null": {"image_name": "team/app", "tag": "v1", "additional_tags": None},
    "additional-null-inside": {"image_name": "team/app", "tag": "v1", "additional_tags": [None]},
    "additional-empty-inside": {"image_name": "team/app", "tag": "v1", "additional_tags": [""]},
    "additional-mixed": {"image_name": "team/app", "tag": "v1", "additional_tags": ["a", 1, 2.5, True]},
    "additional-twice": {"image_name": "team/app", "tag": "v1", "additional_tags": ["v1", "v1"]},
    "additional-hostile": {"image_name": "team/app", "tag": "v1", "additional_tags": ["ok", "no good"]},
    "additional-mapping": {"image_name": "team/app", "tag": "v1", "additional_tags": {"a": 1}},
    "additional-many": {"image_name": "team/app", "tag": "v0", "additional_tags": ["v%d" % i for i in range(1, 41)]},
    "credentials-empty": {"image_name": "team/app", "tag": "v1", "credentials": {}},
    "credentials-no-password": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u"}},
    "credentials-no-username": {"image_name": "team/app", "tag": "v1", "credentials": {"password": "p"}},
    "credentials-null-inside": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u", "password": None}},
    "credentials-numbers": {"image_name": "team/app", "tag": "v1", "credentials": {"username": 1, "password": 2}},
    "credentials-list": {"image_name": "team/app", "tag": "v1", "credentials": ["u", "p"]},
    "credentials-reauth-false": {"image_name": "registry.example.com/app", "tag": "v1",
                                 "credentials": {"username": "u", "password": "p", "registry_url": "registry.example.com", "reauth": False}},
    "credentials-url-null": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u", "password": "p", "registry_url": None}},
    "credentials-url-scheme": {"image_name": "registry.example.com/app", "tag": "v1",
                               "credentials": {"username": "u", "password": "p", "registry_url": "https://registry.example.com/v2/"}},
    "credentials-spaces": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "a user", "password": " p w "}},
    "credentials-hostile": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u$(id)'\"", "password": "$PATH `id` \\ % \" '"}},
    "credentials-unicode": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "ü", "password": "e\u0301 é 🎉"}},
    "credentials-long": {"image_name": "team/app", "tag": "v1", "credentials": {"username": "u", "password": "p" * 5000}},
    "ignore-cache-text": {"image_name": "team/app", "tag": "v1", "ignore_cache": "no"},
    "backend-docker-py": {"image_name": "team/app", "tag": "v1", "build_backend": "docker-py"},
    "backend-null": {"image_name": "team/app", "tag": "v1", "build_backend": None},
    "nothing": {},
    "buildx-namespace": ({"image_name": "app", "tag": "v1", "build_backend": "buildx"}, {"namespace": "team"}),
    "buildx-name-with-tag": {"image_name": "team/app:v1", "build_backend": "buildx"},
    "buildx-tag-null": {"image_name": "team/app", "tag": None, "build_backend": "buildx"},
    "buildx-tag-number": {"image_name": "team/app", "tag": 7, "additional_tags": [1.5], "build_backend": "buildx"},
    "buildx-additional-alone": {"image_name": "team/app", "additional_tags": ["latest"], "build_backend": "buildx"},
    "buildx-additional-text": {"image_name": "team/app", "tag": "v1", "additional_tags": "ab", "build_backend": "buildx"},
    "buildx-credentials-hub": {"image_name": "team/app", "tag": "v1", "build_backend": "buildx", "credentials": {"username": "u", "password": "p"}},
    "buildx-credentials-reauth-false": {"image_name": "registry.example.com/app", "tag": "v1", "build_backend": "buildx",
                                        "credentials": {"username": "u", "password": "p", "registry_url": "registry.example.com", "reauth": False}},
    "buildx-credentials-no-password": {"image_name": "team/app", "tag": "v1", "build_backend": "buildx", "credentials": {"username": "u"}},
    "buildx-credentials-hostile": {"image_name": "team/app", "tag": "v1", "build_backend": "buildx", "credentials": {"username": "u'\"", "password": "$PATH `id` \\ % \" é"}},
    "buildx-unknown": {"image_name": "team/app", "tag": "v1", "build_backend": "buildx", "registry": "x"},
}

noted = []


class Engine(BaseHTTPRequestHandler):
    """Answers what docker-py asks of an engine."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, *documents, status=200):
        body = b"".join(json.dumps(d).encode() + b"\r\n" for d in documents)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        path = re.sub(r"^/v[\d.]+", "", urlsplit(self.path).path)
        if path == "/version":
            return self.answer({"ApiVersion": "1.43", "MinAPIVersion": "1.12", "Version": "24.0.0"})
        return self.answer({"Id": ID, "RepoTags": []})

    def do_POST(self):
        url = urlsplit(self.path)
        path = unquote(re.sub(r"^/v[\d.]+", "", url.path))
        data = self.body()
        note = {"path": path.replace(ID, "ID"), "query": sorted(parse_qsl(url.query, keep_blank_values=True), key=lambda q: q[0])}
        noted.append(note)
        if path == "/build":
            named = [v for k, v in note["query"] if k == "dockerfile"]  # of one outside of the context, docker-py sends a made-up name and the text
            note["context"] = context(data, named[0] if named else "Dockerfile")
            note["query"] = [q for q in note["query"] if q[0] != "dockerfile" or len(named) == 1]
            return self.answer({"stream": "Step 1"}, {"aux": {"ID": ID}})
        if path == "/auth":
            note["login"] = json.loads(data)
            return self.answer({"Status": "Login Succeeded"})
        if path.endswith("/push"):
            note["authorized"] = "X-Registry-Auth" in self.headers
            return self.answer({"status": "pushed"})
        return self.answer(status=201)


def context(data, dockerfile):
    """What matters of the tar: which of the test's folders it is, and the Dockerfile in it."""
    if not data:
        return None
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = sorted(n for n in tar.getnames() if not n.startswith(".docker"))
        return {"names": names, "dockerfile": tar.extractfile(os.path.normpath(dockerfile)).read().decode()}


PROGRAM = """#!%s
import json, os, sys
words = sys.argv[1:]
text = sys.stdin.read() if "--password-stdin" in words else ""
dockerfile = None
if "--file" in words and os.path.isfile(words[words.index("--file") + 1]):
    dockerfile = open(words[words.index("--file") + 1]).read()
with open(os.environ["NOTES"], "a") as notes:
    notes.write(json.dumps({"words": words, "stdin": text, "dockerfile": dockerfile}) + "\\n")
if "--iidfile" in words:
    open(words[words.index("--iidfile") + 1], "w").write("%s")
if words[:2] == ["buildx", "inspect"]:
    print("Name:   default\\nDriver: docker")
if words[:2] == ["buildx", "ls"]:
    print(json.dumps({"Name": "default", "Driver": "docker", "Nodes": []}))
if words[:2] == ["image", "inspect"]:
    print(json.dumps([{"Id": "%s", "RepoTags": []}]))
"""


def project(base, options):
    folder = Path(base) / "project"
    for name, text in {"app/Dockerfile": "FROM base\n# app", "docker/Dockerfile.dev": "FROM base\n# dev", "../Dockerfile.out": "FROM base\n# out", "Dockerfile": "FROM base\n# here",
                       "requirements.txt": "prefect\n"}.items():
        if options.get("bare") and (name == "Dockerfile" or name == "requirements.txt" and not options.get("requirements")):
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(function, inputs, options, notes):
    from prefect.settings import PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE, temporary_settings
    from prefect_docker.deployments import steps

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW.replace(microsecond=options.get("now", 45)).astimezone(tz)

    steps.datetime = Clock
    steps.STEP_OUTPUT_CACHE.clear()
    noted.clear()
    notes.write_text("")
    made = {}
    with tempfile.TemporaryDirectory() as base:
        folder = project(os.path.realpath(base), options)
        os.chdir(folder)
        before = {str(p) for p in folder.rglob("*")}
        try:
            with temporary_settings({PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE: options["namespace"]}) if "namespace" in options else nullcontext():
                made["outputs"] = getattr(steps, function)(**json.loads(json.dumps(inputs)))
        except Exception as fault:
            made["error"] = type(fault).__name__
        made["left"] = {os.path.relpath(p, folder): Path(p).read_text() for p in sorted({str(p) for p in folder.rglob("*")} - before)}
        os.chdir("/")

        def relative(word):
            word = re.sub(r"^.*/id_file\.txt$", "IDFILE", word)
            return "." if word == str(folder) else word.replace(str(folder) + "/", "").replace(os.path.realpath(base), "..")

        commands = [json.loads(line) for line in notes.read_text().splitlines()]
        for c in commands:
            c["words"] = [relative(w) for w in c["words"]]
        made["requests"] = json.loads(json.dumps(noted).replace(os.path.realpath(base), ".."))
        made["commands"] = [c for c in commands if c["words"][:2] not in (["buildx", "inspect"], ["buildx", "ls"], ["image", "inspect"])]
    return made


def main():
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "docker"
        program.write_text(PROGRAM % (sys.executable, ID, ID))
        program.chmod(0o755)
        notes = Path(scratch) / "notes"
        os.environ.update(DOCKER_HOST=f"tcp://127.0.0.1:{server.server_port}", DOCKER_CONFIG=scratch, NOTES=str(notes), PREFECT_LOGGING_LEVEL="ERROR", PATH=f"{scratch}:{os.environ['PATH']}")
        for name in ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE"):
            os.environ.pop(name, None)
        import prefect
        from prefect.utilities.dockerutils import python_version_minor

        stdout, sys.stdout = sys.stdout, open(os.devnull, "w")
        cases = []
        for function, table in (("build_docker_image", BUILD), ("push_docker_image", PUSH)):
            for name, given in table.items():
                inputs, options = given if isinstance(given, tuple) else (given, {})
                if function.startswith("build") and name.startswith("buildx"):
                    inputs = {**inputs, "build_backend": "buildx"}
                cases.append({"name": name, "function": function, "inputs": inputs, "options": options, **run(function, inputs, options, notes)})
        sys.stdout = stdout
    head = json.dumps({"prefect": prefect.__version__, "python": python_version_minor()})[:-1]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (target / "golden.json").write_text(head + ', "cases": [\n' + lines + "\n]}\n")


main()
