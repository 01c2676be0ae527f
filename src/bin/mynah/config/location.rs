//! Which file holds the configuration.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use clap::ArgMatches;

const VARIABLE: &str = "MYNAH_CONFIG";

/// Where the configuration is read from.
#[derive(Debug, Default, clap::Args)]
pub struct LocationArgs {
    /// Read options from this file instead of ~/.config/mynah/config.toml (MYNAH_CONFIG names one too)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "no_config",
        display_order = 101
    )]
    pub config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long, global = true, display_order = 102)]
    pub no_config: bool,
}

/// Where the configuration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Nowhere: it was declined, or there is no home folder.
    Nowhere,
    /// In the user's folder, if the file exists.
    Default(PathBuf),
    /// In the file that was named, which must exist.
    Named(PathBuf),
}

impl LocationArgs {
    /// Where these arguments and the environment say that the configuration is.
    pub fn location(&self) -> Location {
        Location::new(self.no_config, self.config.as_deref())
    }
}

impl Location {
    /// Where parsed arguments and the environment say that the configuration is.
    pub fn of(matches: &ArgMatches) -> Self {
        let named = matches.try_get_one::<PathBuf>("config").ok().flatten();
        Self::new(matches.get_flag("no_config"), named.map(PathBuf::as_path))
    }

    fn new(declined: bool, named: Option<&Path>) -> Self {
        if declined {
            return Self::Nowhere;
        }
        let of_variable = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        if let Some(path) = named.map(Path::to_owned).or(of_variable) {
            return Self::Named(path);
        }
        user_folder()
            .map_or(Self::Nowhere, |folder| Self::Default(folder.join("mynah/config.toml")))
    }

    /// The path, whether or not there is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Nowhere => None,
            Self::Default(path) | Self::Named(path) => Some(path),
        }
    }

    /// The file, if there is to be one.
    ///
    /// # Errors
    ///
    /// It was named and does not exist, or can't be looked at.
    pub fn file(self) -> Result<Option<PathBuf>, Vec<String>> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Named(path) => Ok(Some(path)),
            Self::Default(path) => match path.metadata() {
                Ok(_) => Ok(Some(path)),
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    Ok(None)
                }
                Err(e) => Err(vec![format!("{}: {e}; --no-config goes without", path.display())]),
            },
        }
    }
}

/// Where programs keep the user's configuration.
fn user_folder() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return absolute("APPDATA");
    }
    absolute("XDG_CONFIG_HOME").or_else(|| Some(env::home_dir()?.join(".config")))
}
