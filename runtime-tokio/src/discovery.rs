//! Finding the cluster by multicast DNS.
