//! Reading an organisation's feeds into its tenant.

use std::path::Path;

use idr_core::model::{Name, UnixMillis};
use thiserror::Error;

use crate::aggregate::{
    AggregateContext, AggregateError, AggregateOptions, AggregationReport, aggregate,
};
use crate::refresh::RefreshError;
use crate::store::StoreError;
use crate::tenant::{OpenError, OpenTenant};

/// An organisation whose feeds can't be read into its tenant.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The tenant can't be opened.
    #[error("the tenant can't be opened")]
    Open(#[from] OpenError),
    /// The configuration can't be adopted.
    #[error("the configuration can't be adopted")]
    Adopt(#[from] RefreshError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A feed can't be aggregated.
    #[error("`{application}` can't be aggregated")]
    Aggregate {
        /// The application.
        application: String,
        /// Why.
        #[source]
        source: Box<AggregateError>,
    },
    /// The tenant isn't configured for such an organisation.
    #[error("the tenant has no application `{0}`")]
    Application(String),
}

impl LoadError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Aggregate { source, .. } => source.hint(),
            Self::Open(_) | Self::Adopt(_) | Self::Store(_) | Self::Application(_) => None,
        }
    }
}

/// Aggregates the feeds of applications in the tenant's folder, as of one instant,
/// in this order: those that create identities come first.
///
/// # Errors
///
/// [`LoadError`]; feeds that were aggregated before stay so.
pub fn aggregate_all(
    tenant: &OpenTenant,
    applications: &[&str],
    as_of: UnixMillis,
) -> Result<Vec<AggregationReport>, LoadError> {
    let configured = tenant.adopt()?;
    let model = &tenant.configuration.model;
    let directory: &Path = &tenant.configuration.directory;
    let mut reports = Vec::with_capacity(applications.len());
    for application in applications {
        let name = Name::new(application);
        let definition = model.application(name);
        let connector = tenant.configuration.connectors.get(&name);
        let (Some(definition), Some(connector)) = (definition, connector) else {
            return Err(LoadError::Application((*application).to_owned()));
        };
        let context =
            AggregateContext::new(&tenant.store, model, configured.rules.as_ref(), definition);
        let options = AggregateOptions {
            connector,
            directory,
            file: None,
            delta: false,
            as_of: Some(as_of),
            force: false,
            now: tenant.now()?,
            simulated_clock: tenant.is_simulated(),
        };
        let report =
            aggregate(&context, &options, &mut |_| {}).map_err(|source| LoadError::Aggregate {
                application: (*application).to_owned(),
                source: Box::new(source),
            })?;
        reports.push(report);
    }
    Ok(reports)
}
