# SPDX-License-Identifier: MIT
"""Prometheus itself scrapes the monitor: test_prometheus.py DATA-DIRECTORY

promtool accepts the metrics, the example configuration and the alerts; the real server scrapes an
application that works, and lightning-cli serve through TLS with a token and a client's certificate;
each query of the dashboard and of the alerts has data. Exit status 77: skipped, Prometheus is not installed.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

import monitor

DATA = pathlib.Path(sys.argv.pop(1))
WEB = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the environment says
TOKEN = "correct-horse-battery-staple"
# Row by row what the documentation promises: names and labels.
PROMISED = ['lightning_db_operation_duration_seconds_bucket{type="read",le="+Inf"}',
            'lightning_db_operation_duration_seconds_bucket{type="write",le="+Inf"}',
            'lightning_db_operation_duration_seconds_bucket{type="delete",le="+Inf"}', 'lightning_db_operations_total{type="read"}', 'lightning_db_operations_total{type="write"}',
            'lightning_db_operations_total{type="delete"}', "lightning_db_transactions_active",
            "lightning_db_transactions_committed_total", "lightning_db_transactions_aborted_total",
            "lightning_db_cache_hits_total", "lightning_db_cache_misses_total", "lightning_db_cache_evictions_total",
            "lightning_db_storage_bytes", "lightning_db_pages_total", "lightning_db_compression_ratio", "lightning_db_up", "lightning_db_healthy"]


class Subject:
    """The application."""

    def __init__(self, database):
        self.process = subprocess.Popen([os.environ["MONITOR_SUBJECT"], database], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.uris = self.process.stdout.readline().split()

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(monitor.PATIENCE)


class Prometheus:
    """The real server, on a port of its own choice."""

    def __init__(self, directory, configuration):
        (directory / "prometheus.json").write_text(json.dumps(configuration))  # JSON is YAML
        self.log = open(directory / "prometheus.log", "w+b")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={directory}/prometheus.json", f"--storage.tsdb.path={directory}/data",
             "--web.listen-address=127.0.0.1:0"], stdout=self.log, stderr=self.log)
        self.address = None
        monitor.wait_for(self._find_address)
        monitor.wait_for(self._is_ready)

    def _find_address(self):
        text = self.text()
        if self.process.poll() is not None:
            raise AssertionError(text)
        found = re.search(r'msg="Listening on" address=(\S+)', text)
        self.address = found.group(1) if found else None
        return found

    def _is_ready(self):
        try:
            with WEB.open(f"http://{self.address}/-/ready", timeout=monitor.PATIENCE):
                return True
        except urllib.error.HTTPError:
            return False

    def text(self):
        self.log.seek(0)
        return self.log.read().decode()

    def get(self, path, **query):
        with WEB.open(f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}",
                                    timeout=monitor.PATIENCE) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """The values of an instant query that are numbers."""
        values = [float(its["value"][1]) for its in self.get("query", query=expression)["result"]]
        return [value for value in values if value == value]

    def targets(self):
        return self.get("targets")["activeTargets"]

    def stop(self):
        self.process.kill()
        self.process.wait(monitor.PATIENCE)
        self.log.close()


def promtool(*arguments, text=None):
    return subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False,
                          timeout=monitor.PATIENCE)


class Scraped(monitor.MonitorTest):
    def setUp(self):
        super().setUp()
        self.subject = Subject(str(self.directory / "subject.db"))
        self.addCleanup(self.subject.stop)

    def scrape(self, uri):
        with WEB.open(uri + "/metrics", timeout=monitor.PATIENCE) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            return answer.read().decode()

    def test_metrics(self):
        text = self.scrape(self.subject.uris[0])
        done = promtool("check", "metrics", text=text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        for name in PROMISED:
            self.assertIn(f"\n{name} ", text)
        # The guide has them all, with their types, and no others.
        guide = (DATA.parent.parent / "docs" / "guides" / "monitoring.md").read_text()
        self.assertEqual(dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)),
                         dict(re.findall(r"^\| `(lightning_db_\w+)` \| (\w+) \|", guide, re.MULTILINE)))
        self.check_histograms(text)
        # The test can fail.
        self.assertNotEqual(promtool("check", "metrics", text=text.replace("# HELP", "# HELP x")).returncode, 0)
        self.assertNotEqual(promtool("check", "metrics", text=text + "{\n").returncode, 0)
        # A process that reads has fewer of them, and these are sound, too.
        done = promtool("check", "metrics", text=self.serve_socket().ask("/metrics")[2])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def check_histograms(self, text):
        """Buckets rise with their bounds, up to the count; what was sampled took some time."""
        series = {}
        for name, label, bound, count in re.findall(r'^(\w+)_bucket\{(type="\w+",)?le="([^"]+)"\} (\d+)$', text,
                                                    re.MULTILINE):
            series.setdefault((name, label.rstrip(",")), []).append((float(bound), int(count)))
        self.assertEqual(len(series), 8)
        for (name, label), buckets in series.items():
            with self.subTest(name, label=label):
                self.assertEqual(buckets, sorted(buckets))
                self.assertEqual([count for _, count in buckets], sorted(count for _, count in buckets))
                labels = f"{{{label}}}" if label else ""
                count = float(re.search(rf"^{re.escape(name + '_count' + labels)} (\S+)$", text, re.MULTILINE).group(1))
                total = float(re.search(rf"^{re.escape(name + '_sum' + labels)} (\S+)$", text, re.MULTILINE).group(1))
                self.assertEqual(buckets[-1], (float("inf"), count))
                self.assertEqual(count > 0, total > 0)

    def test_files(self):
        for name in ("prometheus.yml", "lightning-db.rules.yml"):
            shutil.copy(DATA / name, self.directory)
        done = promtool("check", "config", "--syntax-only", str(self.directory / "prometheus.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = promtool("check", "rules", str(self.directory / "lightning-db.rules.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_scraped(self):
        certificates = monitor.Certificates(self.directory)
        token = self.write("token", TOKEN)
        certificate, key = certificates.server
        sidecar = self.serve("--address", "127.0.0.1", "--metrics-port", "0", "--port", "-1", "--token-file", token,
                             "--tls-certificate", certificate, "--tls-key", key, "--tls-ca", certificates.authority)
        host = urllib.parse.urlsplit(self.subject.uris[0]).netloc
        secure = {"scheme": "https", "authorization": {"type": "Bearer", "credentials_file": token},
                  "tls_config": {"ca_file": certificates.authority, "cert_file": certificates.client[0],
                                 "key_file": certificates.client[1]},
                  "static_configs": [{"targets": [urllib.parse.urlsplit(sidecar.uris[0]).netloc]}]}
        wrong = {**secure, "authorization": {"type": "Bearer", "credentials": "x" * 20}}
        prometheus = Prometheus(self.directory, {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": "application", "static_configs": [{"targets": [host]}]},
                {"job_name": "sidecar", **secure}, {"job_name": "wrong", **wrong}]})
        self.addCleanup(prometheus.stop)
        for job in ("application", "sidecar"):
            monitor.wait_for(lambda job=job: prometheus.query(f'lightning_db_up{{job="{job}"}}') == [1])
        monitor.wait_for(lambda: {its["labels"]["job"]: its["health"] for its in prometheus.targets()} == {
            "application": "up", "sidecar": "up", "wrong": "down"})
        self.assertEqual(prometheus.query('lightning_db_keys{job="sidecar"}'), [1])
        self.assertEqual(prometheus.query('lightning_db_up{job="wrong"}'), [])
        self.check_dashboard(prometheus)
        self.check_alerts(prometheus)
        self.assertEqual(sidecar.stop(), 0)
        self.assertNotIn(TOKEN, sidecar.log())

    def check_dashboard(self, prometheus):
        dashboard = json.loads((DATA / "grafana-dashboard.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
        self.assertGreater(len(expressions), 30)
        for expression in expressions:
            self.assertIn('{job=~"$job",instance=~"$instance"}', expression)
            asked = expression.replace("$job", "application").replace("$instance", ".*")
            with self.subTest(expression):
                monitor.wait_for(lambda asked=asked: len(prometheus.query(asked)) > 0)
        with self.subTest("it can fail"):
            self.assertEqual(prometheus.query("lightning_db_no_such_metric"), [])

    def check_alerts(self, prometheus):
        """Each expression names metrics that there are: the left side of its comparison has data."""
        text = (DATA / "lightning-db.rules.yml").read_text()
        names = set(re.findall(r"lightning_db_\w+", text))
        self.assertGreater(len(names), 5)
        for name in names:
            with self.subTest(name):
                self.assertNotEqual(prometheus.query(f'{name}{{job="application"}}'), [])


if __name__ == "__main__":
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    if missing:
        print("skipped: there is no", " and no ".join(missing), "(apt-get install prometheus)")
        sys.exit(77)
    unittest.main(verbosity=2)
