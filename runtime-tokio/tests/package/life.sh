#!/usr/bin/env bash
# The life of the package: installed, started, upgraded, removed and purged; on a machine with systemd, and on one where nothing starts
# services. life.sh OLD.deb NEW.deb: two versions of it, the second one higher.
source "$(dirname "$0")/machine.sh"

old=$(realpath "$1") new=$(realpath "$2")
from=$(dpkg-deb --field "$old" Version) to=$(dpkg-deb --field "$new" Version)
dpkg --compare-versions "$from" lt "$to" || fail "$2 ($to) is no upgrade of $1 ($from)"

# Every path where a package may leave something, of a machine.
paths() {
  on "$1" find /etc /lib/systemd /usr /var/lib /var/log /run /home /opt -xdev -not -path '/var/lib/dpkg/*' \
    -not -path '/var/lib/systemd/*' -not -path '/etc/.pwd.lock' -not -path '/etc/*-' -not -path '/run/*' -not -path '/var/log/*' | sort
}

installed() {
  on "$1" dpkg-query --show --showformat '${Status} ${Version}' rumor
}

# What must hold wherever the package is installed.
check_files() {
  [ "$(on "$1" stat --format '%U:%G %a' /etc/rumor)" = 'root:rumor 750' ] || fail "/etc/rumor is open"
  [ "$(on "$1" stat --format '%U:%G %a' /var/lib/rumor)" = 'rumor:rumor 750' ] || fail "/var/lib/rumor is open"
  on "$1" test -L /etc/systemd/system/multi-user.target.wants/rumor.service || fail "the service is not enabled"
  on "$1" test -s /usr/share/man/man1/rumor-members.1.gz || fail "there is no manual page"
  on "$1" bash -c '. /usr/share/bash-completion/completions/rumor; complete -p rumor' >/dev/null || fail "nothing completes"
  on "$1" rumor check-config /etc/rumor >/dev/null 2>&1 || fail "the default configuration is not valid"
}

# Where nothing starts services: the scripts cope, and the agent can be started by hand as the unit does.
without_systemd() {
  local before agent
  machine_start plain shell
  before=$(paths plain)
  put plain "$old" /root/old.deb
  put plain "$new" /root/new.deb
  on plain dpkg --install /root/old.deb
  check_files plain
  agent=$(on plain sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/rumor.service)
  on plain setpriv --reuid rumor --regid rumor --init-groups $agent >"$machines/agent.log" 2>&1 &
  eventually 30 on plain rumor members
  on plain rumor members | grep --quiet '^plain *127.0.0.1:7946 *alive' || fail "$(on plain rumor members)"
  on plain pkill -INT -x rumor
  wait $! || fail "the agent did not leave: $(cat "$machines/agent.log")"
  on plain sh -c 'echo "# by hand" >>/etc/rumor/00-rumor.toml'
  snapshot=$(on plain md5sum /var/lib/rumor/snapshot)
  on plain dpkg --install /root/new.deb
  [ "$(installed plain)" = "install ok installed $to" ] || fail "$(installed plain)"
  on plain grep --quiet '# by hand' /etc/rumor/00-rumor.toml || fail "the upgrade lost what was changed by hand"
  [ "$(on plain md5sum /var/lib/rumor/snapshot)" = "$snapshot" ] || fail "the upgrade changed the snapshot"
  on plain dpkg --remove rumor
  on plain grep --quiet '# by hand' /etc/rumor/00-rumor.toml || fail "removing took the configuration"
  on plain test -s /var/lib/rumor/snapshot || fail "removing took the snapshot"
  on plain dpkg --purge rumor
  diff <(echo "$before") <(paths plain) || fail "the purge left something, or took too much"
  if on plain getent passwd rumor; then fail "the purge left the user"; fi
}

main_process() {
  on "$1" systemctl show --property MainPID --value rumor
}

status_text() {
  on "$1" systemctl show --property StatusText --value rumor
}

# With systemd: installed is started, what the unit promises holds, and an upgrade starts the new version.
with_systemd() {
  local before pid
  machine_start full systemd
  before=$(paths full)
  put full "$old" /root/old.deb
  put full "$new" /root/new.deb
  on full dpkg --install /root/old.deb
  check_files full
  on full systemctl is-active rumor || fail "$(on full systemctl status rumor)"
  on full rumor members | grep --quiet '^full *127.0.0.1:7946 *alive' || fail "$(on full rumor members)"
  [ "$(status_text full)" = '1 members alive, 0 failed' ] || fail "$(status_text full)"
  [ "$(on full ps -o user= -p "$(main_process full)")" = rumor ] || fail "the agent runs as somebody else"

  # The units are well made, and what is open to them is little.
  on full systemd-analyze verify --man=no rumor.service rumor@two.service || fail "the units are not well made"
  for unit in rumor.service rumor@.service; do
    on full systemd-analyze security --no-pager --offline=true --threshold=15 "/usr/lib/systemd/system/$unit" >"$machines/security" ||
      fail "$unit is too open: $(cat "$machines/security")"
  done

  # Settings that are wrong are refused, and the agent runs on; those that are right are put into force.
  pid=$(main_process full)
  on full sh -c 'echo "log_levle = 1" >/etc/rumor/20-level.toml'
  if on full systemctl reload rumor 2>/dev/null; then fail "a wrong configuration was taken"; fi
  on full sh -c 'echo "log_level = \"debug\"" >/etc/rumor/20-level.toml'
  on full systemctl reload rumor
  [ "$(main_process full)" = "$pid" ] || fail "a reload started the agent again"

  # A core that hangs is noticed and started again.
  on full mkdir -p /run/systemd/system/rumor.service.d
  on full sh -c 'printf "[Service]\nWatchdogSec=1\nRestartSec=0\n" >/run/systemd/system/rumor.service.d/quick.conf'
  on full systemctl daemon-reload
  on full systemctl restart rumor
  pid=$(main_process full)
  on full kill -STOP "$pid"
  eventually 60 another_process full "$pid"
  eventually 30 on full systemctl is-active rumor
  on full rm -r /run/systemd/system/rumor.service.d
  on full systemctl daemon-reload

  # A second agent on the same machine.
  on full mkdir /etc/rumor/two
  on full sh -c 'printf "bind = \"127.0.0.1:7956\"\nrpc_addr = \"127.0.0.1:7383\"\nnode_name = \"two\"\nsnapshot_path = \"/var/lib/rumor/two/snapshot\"\nretry_join = [\"127.0.0.1:7946\"]\nleave_on_terminate = true\n" >/etc/rumor/two/rumor.toml'
  on full systemctl enable --quiet --now rumor@two
  on full rumor wait --until 'alive=2' --timeout 30s

  pid=$(main_process full)
  on full dpkg --install /root/new.deb
  [ "$(installed full)" = "install ok installed $to" ] || fail "$(installed full)"
  another_process full "$pid" || fail "the upgrade did not start the new version"
  on full systemctl is-active rumor rumor@two || fail "the upgrade did not start all agents"
  on full rumor wait --until 'alive=2' --timeout 30s

  on full dpkg --remove rumor
  if on full pgrep -x rumor; then fail "removing left an agent running"; fi
  on full dpkg --purge rumor
  diff <(echo "$before") <(paths full) || fail "the purge left something, or took too much"
}

another_process() {
  local pid
  pid=$(main_process "$1")
  [ "$pid" != "$2" ] && [ "$pid" != 0 ]
}

without_systemd
with_systemd
echo "the package's life: $from, $to: all held"
