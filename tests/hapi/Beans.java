import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.batch2.maintenance.JobMaintenanceServiceImpl;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.MemoryBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.JpaConfig;
import ca.uhn.fhir.jpa.config.PackageLoaderConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r4b.JpaR4BConfig;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.dao.IFulltextSearchSvc;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.searchparam.submit.config.SearchParamSubmitterConfig;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.jpa.topic.SubscriptionTopicConfig;
import ca.uhn.fhir.jpa.util.LoggingEmailSender;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.hl7.fhir.dstu2.model.Subscription.SubscriptionChannelType;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * What HAPI's JPA server is made of here: a database in memory, rest-hooks (by criteria and by topic), Bulk
 * Data export, $expunge; no full text, no terminology, no partitions. What is not set is as HAPI has it.
 */
final class Beans {
    private Beans() {}

    static Class<?> of(String version) {
        return switch (version) {
            case "R4" -> R4.class;
            case "R4B" -> R4B.class;
            case "R5" -> R5.class;
            default -> throw new IllegalArgumentException(version);
        };
    }

    @Configuration
    @Import({JpaR4Config.class, Common.class})
    static class R4 {}

    @Configuration
    @Import({JpaR4BConfig.class, Common.class})
    static class R4B {}

    @Configuration
    @Import({JpaR5Config.class, Common.class})
    static class R5 {}

    @Configuration
    @Import({
        HapiJpaConfig.class,
        PackageLoaderConfig.class,
        ThreadPoolFactoryConfig.class,
        JpaBatch2Config.class,
        Batch2JobsConfig.class,
        SearchParamSubmitterConfig.class,
        SubscriptionSubmitterConfig.class,
        SubscriptionProcessorConfig.class,
        SubscriptionChannelConfig.class,
        SubscriptionTopicConfig.class
    })
    static class Common {
        /** HAPI looks at its jobs every minute, at changes to tell every 5 s; a test would wait as long. */
        private static final long LOOK_EVERY_MS = 250;

        @Bean
        JpaStorageSettings storageSettings() {
            JpaStorageSettings settings = new JpaStorageSettings();
            settings.setExpungeEnabled(true);
            settings.setAllowMultipleDelete(true);
            settings.setEnableTaskBulkExportJobExecution(true);
            settings.setHibernateSearchIndexSearchParams(false);
            return settings;
        }

        @Bean
        SubscriptionSettings subscriptionSettings() {
            SubscriptionSettings settings = new SubscriptionSettings();
            settings.addSupportedSubscriptionType(SubscriptionChannelType.RESTHOOK);
            settings.setSubscriptionIntervalInMs(LOOK_EVERY_MS);
            return settings;
        }

        @Bean
        PartitionSettings partitionSettings() {
            return new PartitionSettings();
        }

        @Bean
        DataSource dataSource() {
            BasicDataSource source = new BasicDataSource();
            source.setDriver(new org.h2.Driver());
            source.setUrl("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1");
            source.setMaxTotal(20);
            return source;
        }

        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory(
                ConfigurableListableBeanFactory beans,
                FhirContext context,
                JpaStorageSettings settings,
                DataSource source) {
            LocalContainerEntityManagerFactoryBean made =
                HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, context, settings);
            made.setPersistenceUnitName("hapi");
            made.setDataSource(source);
            Properties properties = new Properties();
            properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
            properties.put("hibernate.hbm2ddl.auto", "create");
            properties.put("hibernate.search.enabled", "false");
            made.setJpaProperties(properties);
            return made;
        }

        @Bean
        @Primary
        JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }

        @Bean
        @Primary
        IFulltextSearchSvc noFullText() {
            return null;
        }

        @Bean
        IBinaryStorageSvc binaryStorage() {
            return new MemoryBinaryStorageSvcImpl();
        }

        @Bean
        IEmailSender emailSender() {
            return new LoggingEmailSender();
        }

        @Bean(JpaConfig.DEFAULT_PROFILE_VALIDATION_SUPPORT)
        IValidationSupport definitions(FhirContext context) {
            return context.getValidationSupport();
        }

        /** Before anybody asks a context for its definitions; HAPI has a second one, for search parameters. */
        @Bean
        static BeanPostProcessor fewDefinitions() {
            return after(FhirContext.class, context -> {
                IValidationSupport few = new Definitions(context);
                context.setValidationSupport(few);
                FhirContext.forCached(context.getVersion().getVersion()).setValidationSupport(few);
            });
        }

        @Bean
        static BeanPostProcessor eagerJobs() {
            return after(JobMaintenanceServiceImpl.class, jobs -> jobs.setScheduledJobFrequencyMillis(LOOK_EVERY_MS));
        }
    }

    private static <T> BeanPostProcessor after(Class<T> kind, Consumer<T> change) {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (kind.isInstance(bean)) {
                    change.accept(kind.cast(bean));
                }
                return bean;
            }
        };
    }
}
