//! Programs from Debian's packages, which are unpacked below `target/services/debian` and not installed.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    Result,
    run::{command, output, run, say, services as directory, works},
};

/// Downloads the packages and what they depend on, unpacks them below `target/services/debian`, and writes a script for each program,
/// which tells it where its libraries are.
pub fn unpack(programs: &[(&str, &str)]) -> Result {
    if !works(command("apt-get").arg("--version")) {
        let names: Vec<&str> = programs.iter().map(|(program, _)| *program).collect();
        return Err(format!(
            "{} are missing; install them by the package manager of this machine",
            names.join(", ")
        )
        .into());
    }
    let debian = directory().join("debian");
    let (lists, archives) = (debian.join("lists"), debian.join("archives"));
    for directory in [&lists, &archives] {
        fs::create_dir_all(directory.join("partial"))?;
    }
    let apt = |program: &str, arguments: &str| {
        let mut apt = command(program);
        for (name, value) in [("State::lists", &lists), ("Cache", &debian), ("Cache::archives", &archives)] {
            apt.arg("-o").arg(format!("Dir::{name}={}", value.display()));
        }
        apt.args(["-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="]);
        apt.args(arguments.split(' '));
        apt
    };
    run(&mut apt("apt-get", "update"))?;
    // Ubuntu has Chromium as a snap only.
    let exists = |package: &str| works(apt("apt-cache", "show").arg(package));
    let programs: Vec<_> = programs.iter().copied().filter(|(_, package)| exists(package)).collect();
    let packages: Vec<&str> = programs.iter().map(|(_, package)| *package).collect();
    say(&format!("unpacking {} into {}", packages.join(", "), debian.display()));
    run(apt("apt-get", "install --download-only --yes --no-install-recommends").args(&packages))?;
    let unpacked = debian.join("root");
    for archive in fs::read_dir(&archives)? {
        let archive = archive?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            run(command("dpkg-deb").arg("--extract").args([&archive, &unpacked]))?;
        }
    }
    for (program, package) in programs {
        // Debian's `/usr/bin/chromium` is a script that starts what was installed, so the program itself comes first. So is `/usr/bin/psql`.
        let places = ["usr/lib/chromium", "usr/bin", "usr/sbin", "bin", "sbin"];
        let places = of_postgresql(&unpacked).chain(places.map(|place| unpacked.join(place)));
        let file = places.map(|place| place.join(program)).find(|file| file.is_file());
        let file = file.ok_or(format!("the package {package} has no {program}"))?;
        if program == "prometheus-alertmanager" {
            read_templates_from_descriptor(&file)?;
        }
        script(program, &file, &unpacked)?;
    }
    Ok(())
}

/// The places of PostgreSQL's programs, whose versions are installed side by side.
pub fn of_postgresql(root: &Path) -> impl Iterator<Item = PathBuf> {
    let versions = fs::read_dir(root.join("usr/lib/postgresql")).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin"))
}

/// The directory whose name is compiled into Debian's Alertmanager. Without its templates it does not start.
const TEMPLATES: &str = "/usr/share/prometheus/alertmanager";

/// Lets a program that was not installed find its templates: their directory is open as descriptor 9 (see [`script`]), and the name of
/// that descriptor replaces the directory's, with the same length.
fn read_templates_from_descriptor(program: &Path) -> Result {
    let mut bytes = fs::read(program)?;
    let descriptor = format!("{:/<1$}", "/proc/self/fd/9", TEMPLATES.len());
    while let Some(place) = bytes.windows(TEMPLATES.len()).position(|bytes| bytes == TEMPLATES.as_bytes()) {
        bytes[place..place + TEMPLATES.len()].copy_from_slice(descriptor.as_bytes());
    }
    Ok(fs::write(program, bytes)?)
}

/// What Chromium renders text with: the fonts of the machine and those that were unpacked, under the names that style sheets and
/// Chromium itself use.
fn fonts(unpacked: &Path) -> Result<PathBuf> {
    let families = [
        ("sans-serif", "DejaVu Sans"),
        ("system-ui", "DejaVu Sans"),
        ("Arial", "DejaVu Sans"),
        ("serif", "DejaVu Serif"),
        ("Times New Roman", "DejaVu Serif"),
        ("monospace", "DejaVu Sans Mono"),
    ];
    let aliases = families.map(|(name, font)| {
        format!("<alias><family>{name}</family><prefer><family>{font}</family></prefer></alias>\n")
    });
    let debian = directory().join("debian");
    let text = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n<fontconfig>\n\
         <dir>/usr/share/fonts</dir>\n<dir>{}/usr/share/fonts</dir>\n<cachedir>{}/fonts</cachedir>\n{}</fontconfig>\n",
        unpacked.display(),
        debian.display(),
        aliases.concat()
    );
    let file = debian.join("fonts.conf");
    fs::write(&file, text)?;
    Ok(file)
}

/// Directories of libraries. Those below the first have libraries of which others know only the absolute path.
fn libraries(unpacked: &Path) -> Result<String> {
    let machine = output(command("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH")).or_else(|_| {
        output(command("uname").arg("-m")).map(|machine| format!("{}-linux-gnu", machine.trim()))
    })?;
    let places = ["usr/lib", "lib"].map(|place| unpacked.join(place).join(machine.trim()));
    let private = ["nss", "pulseaudio"].map(|place| places[0].join(place));
    let places = places.iter().chain(&private).map(|place| place.display().to_string());
    Ok(places.collect::<Vec<_>>().join(":"))
}

fn script(program: &str, file: &Path, unpacked: &Path) -> Result {
    let templates = unpacked.join(TEMPLATES.trim_start_matches('/'));
    let templates =
        if templates.is_dir() { format!("exec 9<\"{}\"\n", templates.display()) } else { String::new() };
    let (libraries, fonts) = (libraries(unpacked)?, fonts(unpacked)?);
    let text = format!(
        "#!/bin/sh\n{templates}export LD_LIBRARY_PATH=\"{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         export FONTCONFIG_FILE=\"{}\"\nexport VALGRIND_LIB=\"{}/usr/libexec/valgrind\"\nexec \"{}\" \"$@\"\n",
        fonts.display(),
        unpacked.display(),
        file.display()
    );
    let script = directory().join("bin").join(program);
    fs::create_dir_all(directory().join("bin"))?;
    fs::write(&script, text)?;
    Ok(fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?)
}
