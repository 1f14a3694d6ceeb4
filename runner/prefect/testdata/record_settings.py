"""Asks a real Prefect 3.8.8 which server it would speak to, and how, for a table of environments and files; writes settings.json.

    bin/python testdata/record_settings.py testdata/settings.json

Each case is a process of its own: Prefect reads some of its settings while it is imported. HOME and the working directory stand in the recording as HOME and WORK.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import concurrent.futures

ASK = r"""
import json, os, sys, warnings
warnings.simplefilter("ignore")
out = {}
try:
    import prefect
    from prefect.settings import get_current_settings
    from prefect.client.orchestration import get_client
    from prefect.context import use_profile
    import contextlib, httpx
    profile = sys.argv[1]
    context = contextlib.nullcontext()
    if profile and prefect.context.get_settings_context().profile.name != profile:
        context = use_profile(profile, override_environment_variables=True)
    with context:
        settings = get_current_settings()
        out["api_url"] = settings.api.url or ""
        out["ui_url"] = settings.ui_url or ""
        out["pool"] = settings.deployments.default_work_pool_name or ""
        out["namespace"] = settings.deployments.default_docker_build_namespace or ""
        if settings.api.url:
            client = get_client(sync_client=True)
            http = client._client
            usual = {"accept", "accept-encoding", "connection", "x-prefect-api-version", "user-agent", "authorization"}
            out["authorization"] = http.headers.get("authorization", "")
            out["headers"] = {k: v for k, v in sorted(http.headers.items()) if k.lower() not in usual}
            out["base_url"] = str(http.base_url)
            out["csrf"] = bool(http.enable_csrf_support)
            out["insecure"] = bool(settings.api.tls_insecure_skip_verify)
            out["certificates"] = "" if out["insecure"] else settings.api.ssl_cert_file or ""
            out["timeout"] = http.timeout.read
            transport = http._transport_for_url(httpx.URL(settings.api.url))
            proxy = getattr(transport._pool, "_proxy_url", None)
            out["proxy"] = "" if proxy is None else bytes(proxy.scheme).decode() + "://" + bytes(proxy.host).decode() + ":" + str(proxy.port)
except BaseException as e:
    out = {"error": True}
print("\n" + json.dumps(out))
"""

PROFILES = """active = "cloud"

[profiles.local]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
PREFECT_DEFAULT_WORK_POOL_NAME = "of-local"

[profiles.cloud]
PREFECT_API_KEY = "pnu_k"
PREFECT_API_URL = "https://api.prefect.cloud/api/accounts/a1/workspaces/w1"

[profiles.team]
PREFECT_API_URL = "https://prefect.example.com/base/api"
PREFECT_API_AUTH_STRING = "admin:pass"
PREFECT_CLIENT_CUSTOM_HEADERS = '{"X-Team": "1"}'
PREFECT_API_TLS_INSECURE_SKIP_VERIFY = true
PREFECT_API_REQUEST_TIMEOUT = 12
"""
HOME_PROFILES = {"HOME/.prefect/profiles.toml": PROFILES}
PEM = "HOME/ca.pem"
URL = {"PREFECT_API_URL": "http://h:4200/api"}


def case(name, env=None, files=None, profile="", **more):
    return {"name": name, "env": env or {}, "files": files or {}, "profile": profile, **more}


CASES = [
    case("nothing"),
    case("environment", {"PREFECT_API_URL": "http://h:4200/api", "PREFECT_API_KEY": "k"}),
    case("environment in small letters", {"prefect_api_url": "http://h:4200/api"}),
    case("both ways to log in", {**URL, "PREFECT_API_KEY": "k", "PREFECT_API_AUTH_STRING": "admin:pass"}),
    case("the server's auth string", {**URL, "PREFECT_SERVER_API_AUTH_STRING": "admin:pass"}),
    case("an older name of the auth string", {**URL, "PREFECT_API_AUTH": "admin:pass"}),
    case("a slash at the end", {"PREFECT_API_URL": "http://h:4200/api/"}),
    case("the active profile", files=HOME_PROFILES),
    case("a chosen profile", {"PREFECT_PROFILE": "team"}, HOME_PROFILES),
    case("a profile that there is not", {"PREFECT_PROFILE": "nope"}, HOME_PROFILES),
    case("a profile that Prefect brings", {"PREFECT_PROFILE": "local"}),
    case("a profile that Prefect brings, with other profiles", {"PREFECT_PROFILE": "test"}, HOME_PROFILES),
    case("an active profile that there is not", files={"HOME/.prefect/profiles.toml": 'active = "gone"\n[profiles.x]\nPREFECT_API_URL = "http://x/api"\n'}),
    case("no active profile", files={"HOME/.prefect/profiles.toml": '[profiles.x]\nPREFECT_API_URL = "http://x/api"\n'}),
    case("the environment over the profile", {"PREFECT_API_URL": "http://h:4200/api"}, HOME_PROFILES),
    case("an older name in a profile", files={"HOME/.prefect/profiles.toml": 'active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://x/api"\nPREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME = "p"\n'}),
    case("PREFECT_HOME", {"PREFECT_HOME": "HOME/elsewhere"}, {"HOME/elsewhere/profiles.toml": PROFILES}),
    case("PREFECT_HOME with ~", {"PREFECT_HOME": "~/elsewhere"}, {"HOME/elsewhere/profiles.toml": PROFILES}),
    case("PREFECT_PROFILES_PATH", {"PREFECT_PROFILES_PATH": "HOME/p.toml"}, {"HOME/p.toml": PROFILES}),
    case("PREFECT_PROFILES_PATH, relative", {"PREFECT_PROFILES_PATH": "p.toml"}, {"WORK/p.toml": PROFILES}),
    case("PREFECT_PROFILES_PATH over PREFECT_HOME", {"PREFECT_PROFILES_PATH": "HOME/p.toml", "PREFECT_HOME": "HOME/elsewhere"}, {"HOME/p.toml": PROFILES, "HOME/elsewhere/profiles.toml": ""}),
    case("PREFECT_PROFILES_PATH that is not there", {"PREFECT_PROFILES_PATH": "HOME/p.toml"}, HOME_PROFILES),
    case("a damaged profiles.toml", {**URL}, {"HOME/.prefect/profiles.toml": "active = \"x\n"}),
    case("--profile", profile="team", files=HOME_PROFILES),
    case("--profile over the environment", {"PREFECT_API_URL": "http://h:4200/api", "PREFECT_API_KEY": "k"}, HOME_PROFILES, profile="local"),
    case("--profile that is active: the environment wins", {"PREFECT_API_URL": "http://h:4200/api"}, HOME_PROFILES, profile="cloud"),
    case("--profile that there is not", {**URL}, HOME_PROFILES, profile="nope"),
    case("--profile of Prefect's own", {**URL}, profile="local"),
    case("--profile beside PREFECT_PROFILE", {"PREFECT_PROFILE": "team"}, HOME_PROFILES, profile="local"),
    case("prefect.toml", files={"WORK/prefect.toml": '[api]\nurl = "http://toml/api"\nkey = "k"\n[deployments]\ndefault_work_pool_name = "p"\n'}),
    case("prefect.toml, dotted", files={"WORK/prefect.toml": 'api.url = "http://toml/api"\nclient.custom_headers = {X-A = "1", "X-B" = \'2\'}\n'}),
    case("prefect.toml, headers as a table", files={"WORK/prefect.toml": '[api]\nurl = "http://toml/api"\n[client.custom_headers]\nX-A = "1"\n'}),
    case("prefect.toml, headers as text", files={"WORK/prefect.toml": '[api]\nurl = "http://toml/api"\n[client]\ncustom_headers = \'{"X-A": "1"}\'\n'}),
    case("prefect.toml, more values", files={"WORK/prefect.toml": 'ui_url = "http://ui"\n[api]\nurl = "http://toml/api"\nauth_string = "a:b"\ntls_insecure_skip_verify = true\nrequest_timeout = 7.5\n[client]\ncsrf_support_enabled = false\n'}),
    case("prefect.toml, names of variables", files={"WORK/prefect.toml": 'PREFECT_API_URL = "http://toml/api"\n'}),
    case("prefect.toml over the profile", files={**HOME_PROFILES, "WORK/prefect.toml": '[api]\nurl = "http://toml/api"\n'}),
    case("the environment over prefect.toml", {"PREFECT_API_URL": "http://h/api"}, {"WORK/prefect.toml": '[api]\nurl = "http://toml/api"\nkey = "k"\n'}),
    case("a damaged prefect.toml", URL, {"WORK/prefect.toml": "[api\n"}),
    case("pyproject.toml", files={"WORK/pyproject.toml": '[project]\nname = "x"\nauthors = [{name = "a", email = "b"}]\n[tool.other]\nurl = "no"\n[tool.prefect.api]\nurl = "http://py/api"\n'}),
    case("pyproject.toml, dotted", files={"WORK/pyproject.toml": '[tool.prefect]\napi.url = "http://py/api"\ndeployments = {default_work_pool_name = "p", default_docker_build_namespace = "n"}\n'}),
    case("pyproject.toml with no word of Prefect", {**URL}, {"WORK/pyproject.toml": '[build-system]\nrequires = [\n  "a", # b\n]\n[[tool.x]]\ny = 1979-05-27T07:32:00Z\n[[tool.x]]\ny = """\n[tool.prefect.api]\nurl = "no"\n"""\n'}),
    case("prefect.toml over pyproject.toml", files={"WORK/prefect.toml": '[api]\nurl = "http://toml/api"\n', "WORK/pyproject.toml": '[tool.prefect.api]\nurl = "http://py/api"\nkey = "k"\n'}),
    case("pyproject.toml over the profile", files={**HOME_PROFILES, "WORK/pyproject.toml": '[tool.prefect.api]\nurl = "http://py/api"\n'}),
    case("a damaged pyproject.toml", URL, {"WORK/pyproject.toml": "x = \n"}),
    case(".env", files={"WORK/.env": "PREFECT_API_URL=http://env/api\nexport PREFECT_API_KEY='k' # mine\n# PREFECT_UI_URL=no\nOTHER=1\n"}),
    case(".env over prefect.toml", files={"WORK/.env": "PREFECT_API_URL=http://env/api\n", "WORK/prefect.toml": '[api]\nurl = "http://toml/api"\nkey = "k"\n'}),
    case("the environment over .env", {"PREFECT_API_URL": "http://h/api"}, {"WORK/.env": "PREFECT_API_URL=http://env/api\nPREFECT_API_KEY=k\n"}),
    case(".env with variables", {"HOST_": "h2", "BOTH": "outer"}, {"WORK/.env": "BOTH=inner\nPREFECT_API_URL=http://${HOST_}:${PORT_:-4200}/api\nPREFECT_API_KEY=\"a${BOTH}$BOTH\"\nPREFECT_DEFAULT_WORK_POOL_NAME='${BOTH}'\n"}),
    case(".env with quotes", files={"WORK/.env": "PREFECT_API_URL = \"http://h/api\"  # x\nPREFECT_API_AUTH_STRING=\"a:b\\\"c\\\\d\\n\"\nPREFECT_DEFAULT_WORK_POOL_NAME='it\\'s'\nPREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE=a b#c # d\n"}),
    case(".env in small letters, with a broken line", files={"WORK/.env": "prefect_api_url=http://h/api\nbroken line\nPREFECT_API_KEY\nPREFECT_DEFAULT_WORK_POOL_NAME=p\n"}),
    case(".env with a profile", files={**HOME_PROFILES, "WORK/.env": "PREFECT_PROFILE=team\n"}),
    case(".env with the path of profiles", files={"WORK/.env": "PREFECT_PROFILES_PATH=p.toml\n", "WORK/p.toml": PROFILES}),
    case(".env with PREFECT_HOME", files={"WORK/.env": "PREFECT_HOME=h\n", "WORK/h/profiles.toml": PROFILES}),
    case("prefect.toml with the path of profiles", files={"WORK/prefect.toml": 'profiles_path = "p.toml"\n', "WORK/p.toml": PROFILES}),
    case("pyproject.toml with the path of profiles", files={"WORK/pyproject.toml": '[tool.prefect]\nprofiles_path = "p.toml"\n', "WORK/p.toml": PROFILES}),
    case("headers", {**URL, "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-B": "2", "x-a": "1", "User-Agent": "mine", "Prefect-Csrf-Token": "t", "Authorization": "Bearer own"}'}),
    case("headers that log in, over a key", {**URL, "PREFECT_API_KEY": "k", "PREFECT_CLIENT_CUSTOM_HEADERS": '{"authorization": "Token own"}'}),
    case("headers that are no JSON", {**URL, "PREFECT_CLIENT_CUSTOM_HEADERS": "a=b"}),
    case("headers that are no texts", {**URL, "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-A": 1}'}),
    case("headers that are a list", {**URL, "PREFECT_CLIENT_CUSTOM_HEADERS": '["X-A"]'}),
    case("TLS unchecked", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "true"}),
    case("TLS unchecked: 1", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "1"}),
    case("TLS unchecked: on", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "On"}),
    case("TLS unchecked: no", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "no"}),
    case("TLS unchecked: maybe", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "maybe"}),
    case("certificates", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_SSL_CERT_FILE": PEM}, {PEM: "PEM"}),
    case("certificates of SSL_CERT_FILE", {"PREFECT_API_URL": "https://h/api", "SSL_CERT_FILE": PEM}, {PEM: "PEM"}),
    case("certificates: both", {"PREFECT_API_URL": "https://h/api", "SSL_CERT_FILE": "HOME/other.pem", "PREFECT_API_SSL_CERT_FILE": PEM}, {PEM: "PEM", "HOME/other.pem": "PEM"}),
    case("certificates that are not there", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_SSL_CERT_FILE": "HOME/none.pem"}),
    case("certificates that are none", {"PREFECT_API_URL": "https://h/api", "PREFECT_API_SSL_CERT_FILE": PEM}, {PEM: "nothing"}),
    case("a timeout", {**URL, "PREFECT_API_REQUEST_TIMEOUT": "3.5"}),
    case("no tokens", {**URL, "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"}),
    case("Cloud", {"PREFECT_API_URL": "https://api.prefect.cloud/api/accounts/A/workspaces/W", "PREFECT_API_KEY": "k"}),
    case("Cloud, with another page", {"PREFECT_API_URL": "https://api.prefect.cloud/api/accounts/A/workspaces/W", "PREFECT_UI_URL": "https://ui.example.com"}),
    case("another Cloud", {"PREFECT_CLOUD_API_URL": "https://api.stg.prefect.dev/api", "PREFECT_API_URL": "https://api.stg.prefect.dev/api/accounts/A/workspaces/W"}),
    case("another Cloud and its pages", {"PREFECT_CLOUD_API_URL": "https://c.example.com/api", "PREFECT_CLOUD_UI_URL": "https://pages.example.com", "PREFECT_API_URL": "https://c.example.com/api/accounts/A/workspaces/W"}),
    case("a host that is like Cloud's", {"PREFECT_API_URL": "https://api.prefect.cloud.example.com/api/accounts/A/workspaces/W"}),
    case("a page of one's own", {**URL, "PREFECT_UI_URL": "http://pages:4200/ui/"}),
    case("no /api at the end", {"PREFECT_API_URL": "http://h:4200"}),
    case("/api within", {"PREFECT_API_URL": "http://h:4200/prefect/api/v1"}),
    case("a password in the address", {"PREFECT_API_URL": "http://u:p@h:4200/api"}),
    *(case("proxy: " + name, {"PREFECT_API_URL": url, **env}) for name, url, env in [
        ("none", "https://h.example.com/api", {"HTTP_PROXY": "http://p:1"}),
        ("http", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:2"}),
        ("https", "https://h.example.com/api", {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:2"}),
        ("all", "https://h.example.com/api", {"ALL_PROXY": "http://p:3"}),
        ("all and one", "https://h.example.com/api", {"ALL_PROXY": "http://p:3", "https_proxy": "http://p:2"}),
        ("small letters win", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "http_proxy": "http://p:2"}),
        ("empty in small letters", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "http_proxy": ""}),
        ("no scheme", "http://h.example.com/api", {"HTTP_PROXY": "p:1"}),
        ("localhost", "http://localhost:4200/api", {"HTTP_PROXY": "http://p:1"}),
        ("127.0.0.1", "http://127.0.0.1:4200/api", {"HTTP_PROXY": "http://p:1"}),
        ("NO_PROXY localhost", "http://localhost:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost,127.0.0.1"}),
        ("NO_PROXY host", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "x, h.example.com"}),
        ("NO_PROXY domain", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "no_proxy": "example.com"}),
        ("NO_PROXY .domain", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ".example.com"}),
        ("NO_PROXY .domain itself", "http://example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ".example.com"}),
        ("NO_PROXY part of a word", "http://hexample.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "example.com"}),
        ("NO_PROXY *", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}),
        ("NO_PROXY address", "http://10.1.2.3:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.1.2.3"}),
        ("NO_PROXY network", "http://10.1.2.3:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}),
        ("NO_PROXY port", "http://h.example.com:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h.example.com:4200"}),
        ("NO_PROXY another port", "http://h.example.com:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h.example.com:80"}),
        ("NO_PROXY scheme", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "http://h.example.com"}),
        ("NO_PROXY other scheme", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "https://h.example.com"}),
        ("NO_PROXY capitals", "http://H.Example.com/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "h.example.COM"}),
        ("NO_PROXY IPv6", "http://[::1]:4200/api", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "::1"}),
        ("CGI", "http://h.example.com/api", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}),
    ]),
    case("an empty variable", {"PREFECT_API_URL": ""}, HOME_PROFILES),
    case("an empty key", {"PREFECT_API_KEY": ""}, HOME_PROFILES),
    case("an empty profile", {"PREFECT_PROFILE": ""}, HOME_PROFILES),
    case("space around values", {"PREFECT_API_URL": " http://h/api ", "PREFECT_API_KEY": "k\n"}),
    case("the pool and the namespace", {**URL, "PREFECT_DEFAULT_WORK_POOL_NAME": "p", "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE": "n"}),
    case("the pool under its longer name", {**URL, "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME": "long", "PREFECT_DEFAULT_WORK_POOL_NAME": "short"}),
]

PEM_TEXT = pathlib.Path(__import__("certifi").where()).read_text()


def ask(c):
    with tempfile.TemporaryDirectory() as base:
        base = os.path.realpath(base)
        home, work = base + "/home", base + "/work"
        os.makedirs(home)
        os.makedirs(work)
        place = lambda text: text.replace("HOME/", home + "/").replace("WORK/", work + "/")
        for name, text in c["files"].items():
            path = pathlib.Path(place(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PEM_TEXT if text == "PEM" else text)
        env = {"HOME": home, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1", **{k: place(v) for k, v in c["env"].items()}}
        ran = subprocess.run([sys.executable, "-c", ASK, c["profile"]], cwd=work, env=env, capture_output=True, text=True, timeout=300)
        lines = ran.stdout.strip().splitlines()
        answer = json.loads(lines[-1]) if lines else {"error": True}
        answer = json.loads(json.dumps(answer).replace(home, "HOME").replace(work, "WORK"))
    return {**c, "answer": answer}


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    rows = list(pool.map(ask, CASES))
with open(sys.argv[1], "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")
