"""The Helm chart: chart_test.py TOOLS PROGRAM RENDERER [TEST...]. Rendered as Helm does (chart/main.go), held to the schemas of Kubernetes,
compared with the plain manifests, its settings shown to the program. Where Helm is installed, it has a word too."""

import json
import os
import shutil
import sys
import tempfile
import tomllib
import unittest

sys.dont_write_bytecode = True

import jsonschema  # noqa: E402
import yaml  # noqa: E402

import deployment_test as deployment  # noqa: E402
from deployment_test import DEPLOY, documents, run  # noqa: E402

RENDERER = None
CHART = os.path.join(DEPLOY, "helm", "concord")
COOKIE = {"cookie": {"value": "a secret"}}
EVERYTHING = {
    "replicas": 5, "image": {"repository": "registry.example/concord", "tag": "0.1.0"}, "imagePullSecrets": [{"name": "pull"}],
    "cookie": {"existingSecret": "theirs", "key": "word"}, "auth": {"enabled": True, "token": "sk_concord_0123456789abcdef0123456789abcdef"},
    "tls": {"existingSecret": "certificate"},
    "settings": {"limits": {"max_value_bytes": 67108864}, "tracing": {"sample_ratio": 0.25}, "api": {"port": 4000, "cors_origins": ["https://a.example"]}},
    "storage": {"size": "100Gi", "className": "fast-ssd"}, "backups": {"storage": {"size": "300Gi", "className": "slow"}},
    "networkPolicy": {"clients": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}]},
    "service": {"type": "LoadBalancer", "annotations": {"internal": "true"}}, "podAnnotations": {"note": "one"}, "podLabels": {"team": "shop"},
    "nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "concord", "operator": "Exists"}], "priorityClassName": "high",
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
                                   "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "concord"}}}],
}
# Labels that only a chart has.
OF_HELM = {"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}


def rendered(values, release="concord"):
    """(exit code, text)"""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        done = run(RENDERER, CHART, release, file.name)
        return done.returncode, done.stdout


def objects(values, release="concord"):
    """By kind and name."""
    code, text = rendered(values, release)
    assert code == 0, text
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text) if one}


def settings(made, name="concord"):
    return made["ConfigMap", name]["data"]["concord.toml"]


def without(node, names):
    if isinstance(node, dict):
        return {name: without(value, names) for name, value in node.items() if name not in names}
    return [without(one, names) for one in node] if isinstance(node, list) else node


class ChartTest(unittest.TestCase):
    def check_schemas(self, values):
        _, text = rendered(values)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            done = run(os.path.join(deployment.TOOLS, "kubernetes-validate"), "--strict", file.name)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_what_it_makes_holds_to_the_schemas_of_kubernetes(self):
        self.check_schemas(COOKIE)
        self.check_schemas(EVERYTHING)

    def test_as_it_stands_it_makes_what_the_manifests_hold(self):
        made, plain = objects(COOKIE), {}
        (kustomization,) = documents(os.path.join(DEPLOY, "kubernetes", "kustomization.yaml"))
        for name in kustomization["resources"]:
            plain |= {(one["kind"], one["metadata"]["name"]): one for one in documents(os.path.join(DEPLOY, "kubernetes", name))}
        self.assertEqual(set(made), set(plain))
        for one in made.values():
            self.assertLessEqual(OF_HELM, set(one["metadata"]["labels"]))
        made = without(made, OF_HELM | {"checksum/configuration"})
        # What Kubernetes takes when nothing is said; and a file of a Secret, said in two ways.
        del made["Service", "concord-client"]["spec"]["type"]
        pod = made["StatefulSet", "concord"]["spec"]["template"]["spec"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(pod["containers"][0][probe]["httpGet"].pop("scheme"), "HTTP")
        self.assertEqual(pod["volumes"][1].pop("projected"),
                         {"defaultMode": 0o440, "sources": [{"secret": {"name": "concord", "items": [{"key": "cookie", "path": "cookie"}]}}]})
        self.assertEqual(plain["StatefulSet", "concord"]["spec"]["template"]["spec"]["volumes"][1].pop("secret"),
                         {"secretName": "concord", "defaultMode": 0o440})
        for both in (made, plain):
            both["ConfigMap", "concord"]["data"] = tomllib.loads(settings(both))
            self.assertEqual(set(both.pop(("Secret", "concord"))["stringData"]), {"cookie"})
        for which, one in plain.items():
            self.assertEqual(made[which], one)

    def test_the_nodes_may_start_with_what_they_are_told(self):
        for values in (COOKIE, EVERYTHING):
            made = objects(values)
            with tempfile.TemporaryDirectory() as directory:
                cookie, token = os.path.join(directory, "cookie"), os.path.join(directory, "token")
                run(deployment.PROGRAM, "cert", "generate", "--out", directory, "--host", "localhost")
                for path, secret in ((cookie, "a secret"), (token, EVERYTHING["auth"]["token"])):
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(secret)
                text = settings(made)
                for path, there in (("/etc/concord-secret/cookie", cookie), ("/etc/concord-secret/token", token),
                                    ("/etc/concord-tls/tls.crt", f"{directory}/node.crt"), ("/etc/concord-tls/tls.key", f"{directory}/node.key")):
                    text = text.replace(path, there)
                (container,) = made["StatefulSet", "concord"]["spec"]["template"]["spec"]["containers"]
                environment = {one["name"]: one.get("value", "concord-0") for one in container["env"]}
                self.assertEqual(deployment.accepts(environment, text), "")
                self.assertEqual(sorted(deployment.written(environment, text).values()), sorted(deployment.volumes_of(made["StatefulSet", "concord"])))

    def test_settings_keep_their_types_and_the_charts_own_stay(self):
        read = tomllib.loads(settings(objects(COOKIE | {"settings": {
            "limits": {"max_value_bytes": 67108864}, "tracing": {"sample_ratio": 0.25, "enabled": True},
            "api": {"host": "127.0.0.1", "cors_origins": ["https://a.example"]}, "backup": {"dir": "/data", "schedule": "1d"}, "cluster": {"name": "say \"shop\""}}})))
        self.assertEqual(read["limits"], {"max_value_bytes": 67108864})
        self.assertEqual(read["tracing"], {"sample_ratio": 0.25, "enabled": True})
        self.assertEqual(read["api"], {"host": "0.0.0.0", "cors_origins": ["https://a.example"]})
        self.assertEqual(read["backup"], {"dir": "/backups", "schedule": "1d"})
        self.assertEqual((read["cluster"]["name"], read["cluster"]["discovery"]), ("say \"shop\"", "dns"))

    def test_secrets_come_from_where_the_values_say(self):
        made = objects(EVERYTHING)
        self.assertEqual(made["Secret", "concord"]["stringData"], {"token": EVERYTHING["auth"]["token"]})
        sources = made["StatefulSet", "concord"]["spec"]["template"]["spec"]["volumes"][1]["projected"]["sources"]
        self.assertEqual(sources[0]["secret"], {"name": "theirs", "items": [{"key": "word", "path": "cookie"}]})
        self.assertEqual(sources[1]["secret"], {"name": "concord", "items": [{"key": "token", "path": "token"}]})
        alone = objects({"cookie": {"existingSecret": "theirs"}})
        self.assertFalse([which for which in alone if which[0] == "Secret"])
        self.assertEqual(made["StatefulSet", "concord"]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["scheme"], "HTTPS")

    def test_each_volume_is_of_the_size_and_class_that_the_values_say(self):
        claims = objects(EVERYTHING)["StatefulSet", "concord"]["spec"]["volumeClaimTemplates"]
        self.assertEqual({one["metadata"]["name"]: (one["spec"]["resources"]["requests"]["storage"], one["spec"].get("storageClassName")) for one in claims},
                         {"data": ("100Gi", "fast-ssd"), "backups": ("300Gi", "slow"), "audit": ("5Gi", None)})

    def test_two_releases_share_nothing(self):
        one, other = objects(COOKIE, "shop"), objects(COOKIE, "stock")
        self.assertFalse(set(one) & set(other))
        self.assertIn(("StatefulSet", "shop-concord"), one)
        self.assertIn('dns_name = "shop-concord-peers"', settings(one, "shop-concord"))
        self.assertNotEqual(one["Service", "shop-concord-peers"]["spec"]["selector"], other["Service", "stock-concord-peers"]["spec"]["selector"])

    def test_what_can_not_work_is_refused(self):
        for values, word in (({}, "set cookie.value"), (COOKIE | {"auth": {"enabled": True}}, "auth.enabled needs"),
                             (COOKIE | {"replicas": 2}, "expectedSize is 3, but there are 2 replicas")):
            code, text = rendered(values)
            self.assertEqual(code, 1, text)
            self.assertIn(word, text)

    def test_it_is_of_the_version_of_the_program(self):
        (chart,) = documents(os.path.join(CHART, "Chart.yaml"))
        self.assertEqual(f"concord {chart['appVersion']}", run(deployment.PROGRAM, "version").stdout.strip())

    def test_values_hold_to_their_schema(self):
        with open(os.path.join(CHART, "values.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        (defaults,) = documents(os.path.join(CHART, "values.yaml"))
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.validate(defaults, schema)
        jsonschema.validate(EVERYTHING, schema)
        self.assertEqual(set(defaults), set(schema["properties"]) - {"global"})
        for wrong in ({"replica": 3}, {"replicas": "3"}, {"auth": {"token": "no token"}}, {"settings": {"log": "json"}},
                      {"backups": {"size": "1Gi"}}, {"audit": {"storage": {"size": ""}}}):
            with self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)

    @unittest.skipUnless(shutil.which("helm"), "Helm is not installed: what it says of the chart was not asked")
    def test_helm_finds_nothing_and_renders_the_same(self):
        for values in (COOKIE, EVERYTHING):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(values, file)
                file.flush()
                done = run("helm", "lint", "--strict", CHART, "--values", file.name)
                self.assertEqual(done.returncode, 0, done.stdout)
                done = run("helm", "template", "concord", CHART, "--kube-version", "1.30.0", "--values", file.name)
                self.assertEqual(done.returncode, 0, done.stdout)
                theirs = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout) if one}
                self.assertEqual(theirs, objects(values))


def main():
    global RENDERER
    deployment.TOOLS, deployment.PROGRAM, RENDERER = map(os.path.abspath, sys.argv[1:4])
    del sys.argv[1:4]
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
